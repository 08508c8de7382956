//! Reports that go out by mail.

use analytics::Analytics;
use bz_testkit::TestApp;
use serde_json::json;

use crate::reports::{done, ordered, wanted};

#[tokio::test]
async fn a_report_goes_out_by_mail_with_its_files_once() {
    let folder =
        std::env::temp_dir().join(format!("analytics-mails-{}", uuid::Uuid::from_u128(rand())));
    let mut app = TestApp::<Analytics>::builder()
        .env("MAIL_URL", format!("file://{}", folder.display()))
        .start()
        .await;
    app.start_jobs();
    let mut body = wanted();
    body["deliver"] =
        json!({ "mail": ["ada@engines.example", "ada@engines.example", "grace@engines.example"] });
    let id = ordered(&app.acme.member, body).await;
    done(&app.acme.member, &id).await;
    let mut admin = app.database.admin().await;
    let mut sent = Vec::new();
    for _ in 0..200 {
        sent = sqlx::query_as::<_, (String, String)>(
            "SELECT address, status FROM analytics.mails ORDER BY address",
        )
        .fetch_all(&mut admin)
        .await
        .unwrap();
        if sent.iter().all(|(_, status)| status == "sent") && !sent.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let pair = |address: &str| (address.to_owned(), "sent".to_owned());
    assert_eq!(
        sent,
        [pair("ada@engines.example"), pair("grace@engines.example")]
    );
    let mails: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert_eq!(mails.len(), 2);
    for mail in mails {
        assert!(
            mail.contains("application/pdf") && mail.contains("To: "),
            "{mail}"
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Something that no other test has.
fn rand() -> u128 {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_nanos()
}
