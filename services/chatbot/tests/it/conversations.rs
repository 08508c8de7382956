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

#[tokio::test]
async fn a_conversation_is_begun_once_and_titled_by_what_is_said_first() {
    let world = World::start().await;
    let owner = &world.chat.acme.owner;
    let begin = async || {
        let call = owner.post("/api/conversations", json!({ "time_zone": "Europe/Sofia" }));
        call.header("idempotency-key", "one")
            .await
            .assert_status(201)
    };
    let made = begin().await;
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.json();
    assert_eq!(
        (&made["title"], &made["titled"]),
        (&json!("New conversation"), &json!(false))
    );
    assert_eq!(begin().await.json(), made);
    let mut talk = world.talk();
    talk.conversation = made["id"].as_str().map(str::to_owned);
    talk.ask("add a todo: call Ada").await;
    let path = format!("/api/conversations/{}", made["id"].as_str().unwrap());
    let now = owner.get(&path).await.assert_status(200).json();
    assert_eq!(
        (&now["title"], &now["titled"]),
        (&json!("add a todo: call Ada"), &json!(true))
    );
    for body in [
        json!({ "title": " " }),
        json!({ "time_zone": "Mars" }),
        json!({ "name": "x" }),
    ] {
        let answer = owner.post("/api/conversations", body).await;
        answer.assert_problem(422, "validation_failed");
    }
    let viewer = &world.chat.acme.viewer;
    viewer
        .post("/api/conversations", json!({}))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_title_is_changed_on_the_version_that_was_read() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.ask("hello").await;
    let path = format!(
        "/api/conversations/{}",
        talk.conversation.as_deref().unwrap()
    );
    let chat = &world.chat;
    let title = |title: &str| json!({ "title": title });
    let owner = &chat.acme.owner;
    let changed = owner
        .patch(&path, title(" Plans "))
        .header("if-match", "\"1\"")
        .await;
    let changed = changed.assert_status(200);
    assert_eq!(changed.header("etag"), Some("\"2\""));
    assert_eq!(changed.json()["title"], "Plans");
    let late = owner
        .patch(&path, title("Other"))
        .header("if-match", "\"1\"")
        .await;
    assert_eq!(late.status, 412);
    for client in [&chat.acme.admin, &chat.globex.owner] {
        client
            .patch(&path, title("x"))
            .await
            .assert_problem(404, "not_found");
    }
    chat.acme
        .viewer
        .patch(&path, title("x"))
        .await
        .assert_problem(403, "forbidden");
    for bad in [
        title(" "),
        title(&"x".repeat(101)),
        title("a\nb"),
        json!({}),
    ] {
        owner
            .patch(&path, bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let nothing = format!("/api/conversations/{}", Uuid::nil());
    owner
        .patch(&nothing, title("x"))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn conversations_are_found_by_their_titles_and_by_what_was_said() {
    let world = World::start().await;
    for message in [
        "add a todo: feed Bello",
        "add a todo: 100% of the milk",
        "hello",
    ] {
        world.talk().ask(message).await;
    }
    let owner = &world.chat.acme.owner;
    let found = async |q: &str| {
        let page = owner
            .get(&format!("/api/conversations?q={q}"))
            .await
            .assert_status(200)
            .json();
        let items = page["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|one| one["title"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("BELLO").await, ["add a todo: feed Bello"]);
    assert_eq!(found("100%25").await, ["add a todo: 100% of the milk"]);
    assert_eq!(found("added").await.len(), 2);
    assert!(found("a_d").await.is_empty());
    for bad in ["q=", "q=%20", &format!("q={}", "x".repeat(201))] {
        let answer = owner.get(&format!("/api/conversations?{bad}")).await;
        answer.assert_problem(422, "validation_failed");
    }
    let strange = world
        .chat
        .globex
        .owner
        .get("/api/conversations?q=bello")
        .await
        .json();
    assert_eq!(strange["items"], json!([]));
}

#[tokio::test]
async fn a_conversation_is_exported_for_programs_and_for_people() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.ask("add a todo: <b>call</b> Ada").await;
    let id = talk.conversation.clone().unwrap();
    let path = format!("/api/conversations/{id}/export");
    let chat = &world.chat;
    let json = chat.acme.viewer.get(&path).await;
    json.assert_problem(404, "not_found");
    let export = chat.acme.owner.get(&path).await.assert_status(200);
    let name = format!("attachment; filename=\"conversation-{id}.json\"");
    assert_eq!(export.header("content-disposition"), Some(name.as_str()));
    let export = export.json();
    assert_eq!(export["messages"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&export["conversation"]["id"], &export["truncated"]),
        (&json!(id), &json!(false))
    );
    let text = chat
        .acme
        .owner
        .get(&format!("{path}?format=markdown"))
        .await;
    let text = text.assert_status(200);
    assert_eq!(
        text.header("content-type"),
        Some("text/markdown; charset=utf-8")
    );
    assert!(text.text().contains("**You**"), "{}", text.text());
    assert!(
        text.text().contains(r"\<b\>call\</b\> Ada"),
        "{}",
        text.text()
    );
    chat.globex
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    let bad = chat.acme.owner.get(&format!("{path}?format=pdf")).await;
    bad.assert_problem(422, "validation_failed");
}
