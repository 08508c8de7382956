use bz_kernel::platform::{CHATBOT, CRM, IDENTITY};
use bz_testkit::redis_url;
use serde_json::Value;

use crate::support::Installation;

fn findings(installation: &Installation, code: i32) -> Vec<Value> {
    let output = installation.run(&["smoke", "--json"]);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn failed(findings: &[Value]) -> Vec<&str> {
    // On a busy machine Redis misses its tenth of a second now and then, which only degrades.
    let failed = findings
        .iter()
        .filter(|finding| finding["verdict"] == "failed");
    failed
        .map(|finding| finding["check"].as_str().unwrap())
        .collect()
}

fn has(findings: &[Value], check: &str) -> bool {
    findings.iter().any(|finding| finding["check"] == check)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_installation_takes_a_new_customer_from_registration_to_the_dashboard() {
    let mut installation = Installation::migrated().await;
    installation.set("REDIS_URL", &redis_url());
    let _platform = installation.up().await;
    installation.anonymous().wait_for_health("healthy").await;
    installation.name_the_services();
    let found = findings(&installation, 0);
    assert_eq!(failed(&found), Vec::<&str>::new(), "{found:?}");
    for check in ["token", "lead score", "chat", "dashboard", "logout"] {
        assert!(has(&found, check), "{check} in {found:?}");
    }

    // A service that answers in another's place, and one that does not answer.
    let identity = format!("http://127.0.0.1:{}", installation.ports.of(IDENTITY.port));
    installation.set(CRM.url_variable, &identity);
    installation.set(CHATBOT.url_variable, "http://127.0.0.1:9");
    let found = findings(&installation, 1);
    let bad = failed(&found);
    for check in ["health of crm", "health of chatbot", "lead"] {
        assert!(bad.contains(&check), "{check} in {bad:?}");
    }
    assert!(!bad.contains(&"health of analytics"), "{bad:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_registration_is_closed_nobody_is_registered_and_the_rest_is_checked() {
    let mut installation = Installation::migrated().await;
    installation.set("REDIS_URL", &redis_url());
    installation.set("REGISTRATION_POLICY", "disabled");
    let _platform = installation.up().await;
    installation.anonymous().wait_for_health("healthy").await;
    installation.name_the_services();
    for told in [true, false] {
        if !told {
            installation.unset("REGISTRATION_POLICY");
        }
        let found = findings(&installation, 0);
        assert_eq!(failed(&found), Vec::<&str>::new(), "{found:?}");
        assert!(
            has(&found, "registration") && !has(&found, "lead"),
            "{found:?}"
        );
    }
    let sql = "SELECT count(*) FROM identity.users";
    let mut admin = installation.database.admin().await;
    let users: i64 = sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap();
    assert_eq!(users, 0);
}
