//! How often messages may be sent.

use bz_testkit::TestApp;
use chatbot::Chatbot;
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test]
async fn a_user_who_sends_too_much_waits_and_others_do_not() {
    let chat = TestApp::<Chatbot>::builder()
        .env("CHAT_LLM", "off")
        .env("CHAT_MESSAGES_PER_USER", "3")
        .env("CHAT_MESSAGES_PER_TENANT", "5")
        .start()
        .await;
    let say = |client| bz_testkit::Client::post(client, "/api/chat", json!({ "message": "hello" }));
    for _ in 0..3 {
        say(&chat.acme.owner).await.assert_status(200);
    }
    let refused = say(&chat.acme.owner)
        .await
        .assert_problem(429, "rate_limited");
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    say(&chat.acme.admin).await.assert_status(200);
    say(&chat.acme.admin).await.assert_status(200);
    // The tenant's five are used up.
    say(&chat.acme.member)
        .await
        .assert_problem(429, "rate_limited");
    say(&chat.globex.owner).await.assert_status(200);
    chat.clock.advance(TimeDelta::seconds(wait));
    say(&chat.acme.owner).await.assert_status(200);
}
