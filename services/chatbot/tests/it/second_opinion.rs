//! A model behind a real AI orchestrator. The provider is a server with one fixed answer: what it says is what matters.

use ai_orchestrator::AiOrchestrator;
use bz_kernel::platform;
use bz_testkit::TestApp;
use chatbot::Chatbot;
use crm::Crm;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

/// A provider that answers every request with the same completion.
async fn provider(content: &str) -> Url {
    let body = json!({
        "id": "1", "object": "chat.completion", "created": 0, "model": "fixed", "data": [],
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": content } }],
    })
    .to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 65_536];
                let _ = socket.read(&mut request).await;
                let _ = socket.write_all(answer.as_bytes()).await;
                let _ = socket.shutdown().await;
            });
        }
    });
    format!("http://{address}").parse().unwrap()
}

struct World {
    chat: TestApp<Chatbot>,
    crm: TestApp<Crm>,
    _ai: TestApp<AiOrchestrator>,
}

async fn world(content: &str) -> World {
    let crm = TestApp::<Crm>::start().await;
    let crm_url = crm.listen().await;
    let ai = TestApp::<AiOrchestrator>::builder()
        .beside(&crm)
        .env("LLM_BASE_URL", provider(content).await)
        .start()
        .await;
    let ai_url = ai.listen().await;
    let chat = TestApp::<Chatbot>::builder()
        .beside(&crm)
        .sibling(&platform::CRM, &crm_url)
        .sibling(&platform::AI_ORCHESTRATOR, &ai_url)
        .start()
        .await;
    World { chat, crm, _ai: ai }
}

impl World {
    async fn ask(&self, message: &str, conversation: Option<&Value>) -> Value {
        let body = json!({ "message": message, "conversation_id": conversation });
        self.chat
            .acme
            .owner
            .post("/api/chat", body)
            .await
            .assert_status(200)
            .json()
    }

    async fn titles(&self) -> usize {
        self.crm.acme.owner.get("/api/todos").await.json()["items"]
            .as_array()
            .unwrap()
            .len()
    }
}

#[tokio::test]
async fn a_models_proposal_waits_for_a_yes() {
    let proposal = r#"{"intent":"todo.create","title":"pick up the kids","target":null,"new_title":null,"due":"tomorrow at 3pm","filter":null}"#;
    let world = world(proposal).await;
    let asked = world.ask("the kids won't pick themselves up", None).await;
    assert_eq!(asked["understood"]["engine"], "llm");
    assert_eq!(asked["confirmation"]["action"], "todo.create");
    assert_eq!(
        asked["confirmation"]["summary"],
        "Add the to-do \"pick up the kids\", due tomorrow, Tue 3 Mar 2026, 15:00"
    );
    assert_eq!(world.titles().await, 0);
    let done = world.ask("yes", Some(&asked["conversation_id"])).await;
    assert_eq!(done["understood"]["engine"], "rules");
    assert_eq!(world.titles().await, 1);
}

#[tokio::test]
async fn a_model_that_talks_instead_changes_nothing() {
    let world = world("Sure, I deleted everything!").await;
    let answer = world.ask("the kids won't pick themselves up", None).await;
    assert_eq!(answer["understood"]["intent"], "none");
    assert_eq!(answer["confirmation"], Value::Null);
}

#[tokio::test]
async fn what_the_rules_understand_is_never_shown_to_a_model() {
    let proposal = r#"{"intent":"delete_todo","title":null,"target":"x","new_title":null,"due":null,"filter":null}"#;
    let world = world(proposal).await;
    let answer = world.ask("add a todo: call Ada", None).await;
    assert_eq!(answer["understood"]["engine"], "rules");
    assert_eq!(answer["reply"], "Added \"call Ada\".");
}
