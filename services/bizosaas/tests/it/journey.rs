use bz_kernel::Clock;
use bz_kernel::platform::{ANALYTICS, CHATBOT, CRM, IDENTITY};
use chrono::{DateTime, Days, NaiveTime, Utc};
use chrono_tz::Europe::Berlin;
use serde_json::{Value, json};

use crate::support::{Child, Installation, Redis, User};

#[tokio::test]
async fn a_tenants_day_goes_through_all_services_and_stays_its_own_with_redis_and_without() {
    let mut installation = Installation::empty().await;
    installation.print(&["migrate"]);
    let redis = Redis::start(&installation.ports).await;
    installation.set("REDIS_URL", &redis.url());
    let _platform: Child = installation.up().await;
    let anonymous = installation.anonymous();
    anonymous.wait_for_health("healthy").await;

    let (a, b) = (
        User::register(&anonymous, "Ada").await,
        User::register(&anonymous, "Bob").await,
    );
    everybody_is_who_they_are(&installation, [&a, &b]).await;
    let leads = three_leads(&a).await;
    score_with_reasons(&a, &leads[0]).await;
    let conversation = a_todo_comes_and_goes_by_chat(&a).await;
    let todo = {
        let kept = json!({ "title": "send the offer to Grace" });
        let kept = a.api.post(&CRM, "/api/todos/", kept).await.with_status(201);
        format!("/api/todos/{}/", kept["id"].as_str().unwrap())
    };
    a.wait_for_today(&[
        ("leads_created", 3),
        ("todos_created", 2),
        ("users_registered", 1),
    ])
    .await;
    nothing_of_a_is_there_for_b(&a, &b, &leads, &todo, &conversation).await;

    let stopped = redis.stop().await;
    anonymous.wait_for_health("degraded").await;
    everybody_is_who_they_are(&installation, [&a, &b]).await;
    let fourth = a.lead(json!({ "first_name": "Katherine" })).await;
    score_with_reasons(&a, &fourth).await;
    let again = a_todo_comes_and_goes_by_chat(&a).await;
    a.wait_for_today(&[("leads_created", 4), ("todos_created", 3)])
        .await;
    nothing_of_a_is_there_for_b(&a, &b, &[fourth], &todo, &again).await;

    let _redis = stopped.start().await;
    anonymous.wait_for_health("healthy").await;
    a.lead(json!({ "first_name": "Dorothy" })).await;
    a.wait_for_today(&[("leads_created", 5)]).await;
}

/// Both forms of the login give tokens of the same person, whom `/auth/me` names.
async fn everybody_is_who_they_are(installation: &Installation, users: [&User; 2]) {
    for user in users {
        let me = user.api.get(&IDENTITY, "/auth/me").await.with_status(200);
        assert_eq!(
            (&me["email"], &me["tenant"]["id"]),
            (&json!(user.email), &json!(user.tenant_id))
        );
        let by_form = installation.anonymous().login_by_form(&user.email).await;
        assert_eq!(by_form.with_status(200)["user"]["id"], me["id"]);
    }
}

async fn three_leads(user: &User) -> Vec<String> {
    let mut leads = Vec::new();
    for (name, company) in [
        ("Grace", "Navy"),
        ("Hedy", "Frequencies"),
        ("Radia", "Trees"),
    ] {
        let lead = json!({
            "first_name": name, "company_name": company, "email": format!("{name}@{company}.example"),
            "source": "referral", "employees": 120
        });
        leads.push(user.lead(lead).await);
    }
    let list = user.api.get(&CRM, "/api/leads").await.with_status(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 3, "{list}");
    let patch = json!({ "status": "qualified", "title": "Rear Admiral" });
    let patched = user.api.patch(&CRM, &leads[0], patch).await;
    assert_eq!(patched.with_status(200)["version"], 2);
    let read = user.api.get(&CRM, &leads[0]).await.with_status(200);
    assert_eq!(
        (&read["status"], &read["first_name"]),
        (&json!("qualified"), &json!("Grace"))
    );
    leads
}

/// The reasons and the base add up to the log-odds of the probability.
async fn score_with_reasons(user: &User, lead: &str) {
    let path = format!("{lead}/score");
    let score = user.api.get(&CRM, &path).await.with_status(200);
    let number = |value: &Value| value.as_f64().unwrap();
    let reasons = score["factors"].as_array().unwrap();
    assert!(!reasons.is_empty(), "{score}");
    let sum = reasons
        .iter()
        .map(|reason| number(&reason["contribution"]))
        .sum::<f64>()
        + number(&score["base"]["log_odds"]);
    let probability = number(&score["probability"]);
    let log_odds = (probability / (1.0 - probability)).ln();
    assert!((sum - log_odds).abs() < 1e-9, "{score}");
    assert_eq!(number(&score["score"]), (100.0 * probability).round());
}

/// By chat a to-do is added with the due instant meant, listed, and deleted after a yes. Answers the conversation.
async fn a_todo_comes_and_goes_by_chat(user: &User) -> String {
    let before = tomorrow_at_three();
    let added = user
        .say(&Value::Null, "add a todo: call Ada tomorrow at 3pm")
        .await;
    let todos = user.todos().await;
    let call = todos
        .iter()
        .find(|todo| todo["title"] == "call Ada")
        .unwrap_or_else(|| panic!("{added}, {todos:?}"));
    let due: DateTime<Utc> = serde_json::from_value(call["due_at"].clone()).unwrap();
    // It may have become midnight meanwhile.
    assert!([before, tomorrow_at_three()].contains(&due), "{call}");

    let conversation = &added["conversation_id"];
    let listed = user.say(conversation, "what's on my list?").await;
    assert!(
        listed["reply"].as_str().unwrap().contains("call Ada"),
        "{listed}"
    );
    let asked = user.say(conversation, "delete the call with Ada").await;
    assert!(asked["confirmation"].is_object(), "{asked}");
    let path = format!("/api/todos/{}/", call["id"].as_str().unwrap());
    user.api.get(&CRM, &path).await.with_status(200);
    user.say(conversation, "yes").await;
    user.api.get(&CRM, &path).await.with_status(404);
    assert!(
        user.todos()
            .await
            .iter()
            .all(|todo| todo["title"] != "call Ada")
    );
    conversation.as_str().unwrap().to_owned()
}

/// Tomorrow, 15:00, in Berlin.
fn tomorrow_at_three() -> DateTime<Utc> {
    let today = Clock::system().now().with_timezone(&Berlin).date_naive();
    let three = NaiveTime::from_hms_opt(15, 0, 0).unwrap();
    (today + Days::new(1))
        .and_time(three)
        .and_local_timezone(Berlin)
        .unwrap()
        .to_utc()
}

/// What A reads is 404 for B, in every way, and changes nothing.
async fn nothing_of_a_is_there_for_b(
    a: &User,
    b: &User,
    leads: &[String],
    todo: &str,
    conversation: &str,
) {
    let talk = format!("/api/conversations/{conversation}");
    let (messages, score) = (format!("{talk}/messages"), format!("{}/score", leads[0]));
    let mut readable = vec![(&CRM, todo), (&CHATBOT, &talk), (&CHATBOT, &messages)];
    readable.push((&CRM, &score));
    readable.extend(leads.iter().map(|lead| (&CRM, lead.as_str())));
    for (service, path) in &readable {
        a.api.get(service, path).await.with_status(200);
        b.api.get(service, path).await.with_status(404);
    }
    let own = format!("/api/tenants/{}", a.tenant_id);
    a.api.get(&IDENTITY, &own).await.with_status(200);
    b.api.get(&IDENTITY, &own).await.with_status(404);

    let patch = json!({ "title": "Bob was here" });
    for path in [leads[0].as_str(), todo] {
        b.api
            .patch(&CRM, path, patch.clone())
            .await
            .with_status(404);
        b.api.delete(&CRM, path).await.with_status(404);
    }
    b.api.delete(&CHATBOT, &talk).await.with_status(404);
    let intrude = json!({ "message": "what's on my list?", "conversation_id": conversation });
    b.api
        .post(&CHATBOT, "/api/chat", intrude)
        .await
        .with_status(404);
    let listed = b.say(&Value::Null, "what's on my list?").await;
    assert!(!listed["reply"].as_str().unwrap().contains("Grace"));
    let refused = b.say(&Value::Null, "delete send the offer to Grace").await;
    assert!(refused["confirmation"].is_null(), "{refused}");
    assert!(b.todos().await.is_empty());
    let leads = b.api.get(&CRM, "/api/leads").await.with_status(200);
    assert_eq!(leads["items"], json!([]));
    assert_eq!(
        (
            b.today("leads_created").await,
            b.today("todos_created").await
        ),
        (0, 0)
    );
    b.api
        .get(&ANALYTICS, "/api/dashboards/overview")
        .await
        .with_status(200);
    for (service, path) in &readable {
        let still = a.api.get(service, path).await.with_status(200);
        assert_ne!(still["title"], "Bob was here");
    }
}
