use serde_json::json;
use uuid::Uuid;

use crate::support::World;

#[tokio::test]
async fn what_was_said_is_kept_in_order() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.ask("add a todo: call Ada").await;
    let answer = talk.ask("what's on my list?").await;
    let path = format!(
        "/api/conversations/{}/messages",
        talk.conversation.as_deref().unwrap()
    );
    let page = world
        .chat
        .acme
        .owner
        .get(&path)
        .await
        .assert_status(200)
        .json();
    let said: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["role"].clone(), m["text"].clone()))
        .collect();
    assert_eq!(
        said,
        [
            (json!("user"), json!("add a todo: call Ada")),
            (json!("assistant"), json!("Added \"call Ada\".")),
            (json!("user"), json!("what's on my list?")),
            (json!("assistant"), answer["reply"].clone()),
        ]
    );
    assert_eq!(page["items"][3]["answer"], answer);

    let first = world
        .chat
        .acme
        .owner
        .get(&format!("{path}?limit=3"))
        .await
        .assert_status(200)
        .json();
    let next = format!(
        "{path}?limit=3&cursor={}",
        first["next_cursor"].as_str().unwrap()
    );
    let second = world
        .chat
        .acme
        .owner
        .get(&next)
        .await
        .assert_status(200)
        .json();
    assert_eq!(second["items"], json!([page["items"][3]]));
    assert_eq!(second["next_cursor"], json!(null));
}

#[tokio::test]
async fn a_conversation_is_listed_read_and_deleted_by_its_user() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.zone = "Europe/Sofia";
    talk.ask("hello").await;
    let owner = &world.chat.acme.owner;
    let path = format!(
        "/api/conversations/{}",
        talk.conversation.as_deref().unwrap()
    );
    let one = owner.get(&path).await.assert_status(200).json();
    assert_eq!(
        (&one["title"], &one["time_zone"]),
        (&json!("hello"), &json!("Europe/Sofia"))
    );
    let listed = owner
        .get("/api/conversations")
        .await
        .assert_status(200)
        .json();
    assert_eq!(listed, json!({ "items": [one], "next_cursor": null }));

    owner.delete(&path).await.assert_status(204);
    owner.get(&path).await.assert_problem(404, "not_found");
    owner.delete(&path).await.assert_problem(404, "not_found");
    owner
        .get(&format!("{path}/messages"))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_conversation_is_hidden_from_other_users_and_other_tenants() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.ask("hello").await;
    let path = format!(
        "/api/conversations/{}",
        talk.conversation.as_deref().unwrap()
    );
    for stranger in [&world.chat.globex.owner, &world.chat.acme.admin] {
        stranger.get(&path).await.assert_problem(404, "not_found");
        stranger
            .get(&format!("{path}/messages"))
            .await
            .assert_problem(404, "not_found");
        stranger
            .delete(&path)
            .await
            .assert_problem(404, "not_found");
        assert_eq!(
            stranger.get("/api/conversations").await.json()["items"],
            json!([])
        );
    }
    let nothing = format!("/api/conversations/{}", Uuid::nil());
    world
        .chat
        .acme
        .owner
        .get(&nothing)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_viewer_reads_but_does_not_delete() {
    let world = World::start().await;
    let viewer = &world.chat.acme.viewer;
    viewer.get("/api/conversations").await.assert_status(200);
    viewer
        .delete(&format!("/api/conversations/{}", Uuid::nil()))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn bad_pages_are_refused() {
    let world = World::start().await;
    let owner = &world.chat.acme.owner;
    for query in [
        "limit=0",
        "limit=101",
        "cursor=nonsense",
        "limit=x",
        "page=2",
    ] {
        owner
            .get(&format!("/api/conversations?{query}"))
            .await
            .assert_problem(422, "validation_failed");
    }
}
