//! A chatbot beside a CRM.

use ai_orchestrator::AiOrchestrator;
use bz_kernel::platform;
use bz_testkit::{Client, FaultProxy, Provider, TestApp, TestAppBuilder, TestResponse};
use chatbot::Chatbot;
use crm::Crm;
use serde_json::{Value, json};
use url::Url;

/// Both services on one database, the CRM on a real port behind a proxy.
pub(crate) struct World {
    pub(crate) chat: TestApp<Chatbot>,
    pub(crate) crm: TestApp<Crm>,
    pub(crate) between: FaultProxy,
    /// The orchestrator, when there is one.
    _ai: Option<TestApp<AiOrchestrator>>,
}

type Chat = TestAppBuilder<Chatbot>;

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|chat| chat).await
    }

    /// Beside an AI orchestrator whose model is that provider; `CHAT_...` variables say what it is for.
    pub(crate) async fn with_model(provider: &Provider, variables: &[(&str, &str)]) -> Self {
        let crm = TestApp::<Crm>::start().await;
        let ai = TestApp::<AiOrchestrator>::builder()
            .beside(&crm)
            .env("LLM_BASE_URL", format!("http://{}", provider.address()))
            .start()
            .await;
        let url = ai.listen().await;
        let configure = |chat: Chat| {
            let chat = chat.sibling(&platform::AI_ORCHESTRATOR, &url);
            let set = |chat: Chat, (name, value): &(&str, &str)| chat.env(name, *value);
            variables.iter().fold(chat, set)
        };
        let mut world = Self::beside(crm, configure).await;
        world._ai = Some(ai);
        world
    }

    /// With another orchestrator.
    pub(crate) async fn with_orchestrator(provider: &Provider) -> Self {
        let url: Url = format!("http://{}", provider.address()).parse().unwrap();
        Self::with(|chat| chat.sibling(&platform::AI_ORCHESTRATOR, &url)).await
    }

    /// With other analytics.
    pub(crate) async fn with_analytics(provider: &Provider) -> Self {
        let url: Url = format!("http://{}", provider.address()).parse().unwrap();
        Self::with(|chat| chat.sibling(&platform::ANALYTICS, &url)).await
    }

    async fn with(configure: impl FnOnce(Chat) -> Chat) -> Self {
        Self::beside(TestApp::<Crm>::start().await, configure).await
    }

    async fn beside(crm: TestApp<Crm>, configure: impl FnOnce(Chat) -> Chat) -> Self {
        let address = crm.listen().await;
        let between = FaultProxy::start(address.authority()).await;
        let url = format!("http://{}", between.address()).parse().unwrap();
        let chat = TestApp::<Chatbot>::builder()
            .beside(&crm)
            .sibling(&platform::CRM, &url)
            .env("CHAT_LLM", "off")
            // The clock stands still, so that no bucket would fill again.
            .env("CHAT_MESSAGES_PER_USER", "0")
            .env("CHAT_MESSAGES_PER_TENANT", "0");
        let chat = configure(chat).start().await;
        Self {
            chat,
            crm,
            between,
            _ai: None,
        }
    }

    /// A conversation of acme's owner.
    pub(crate) fn talk(&self) -> Talk<'_> {
        Talk {
            client: &self.chat.acme.owner,
            conversation: None,
            zone: "UTC",
        }
    }

    /// Acme's to-dos, the newest first.
    pub(crate) async fn list(&self) -> Vec<Value> {
        let todos = self.crm.acme.owner.get("/api/todos?limit=100").await;
        let todos = todos.assert_status(200).json();
        todos["items"].as_array().unwrap().clone()
    }

    /// Acme's to-do of that title.
    pub(crate) async fn todo(&self, title: &str) -> Value {
        let all = self.list().await;
        let found = all.into_iter().find(|todo| todo["title"] == title);
        found.unwrap_or_else(|| panic!("there is no to-do {title}"))
    }

    /// Puts a record into acme's CRM.
    pub(crate) async fn make(&self, kind: &str, body: Value) -> Value {
        let path = format!("/api/{kind}");
        let made = self.crm.acme.owner.post(&path, body).await;
        made.assert_status(201).json()
    }

    /// A decision by id.
    pub(crate) async fn decide(&self, id: &Value, verb: &str) -> TestResponse {
        let path = format!("/api/chat/actions/{}/{verb}", id.as_str().unwrap());
        self.chat.acme.owner.post(&path, json!({})).await
    }

    /// The titles of acme's to-dos, oldest first.
    pub(crate) async fn titles(&self) -> Vec<String> {
        let todos = self
            .crm
            .acme
            .owner
            .get("/api/todos?limit=100")
            .await
            .assert_status(200)
            .json();
        let mut titles: Vec<String> = todos["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|todo| todo["title"].as_str().unwrap().to_owned())
            .collect();
        titles.sort();
        titles
    }

    /// Puts to-dos into acme's CRM.
    pub(crate) async fn todos(&self, titles: &[&str]) {
        for title in titles {
            self.crm
                .acme
                .owner
                .post("/api/todos", json!({ "title": title }))
                .await
                .assert_status(201);
        }
    }
}

/// One user's side of a conversation.
pub(crate) struct Talk<'a> {
    pub(crate) client: &'a Client,
    pub(crate) conversation: Option<String>,
    pub(crate) zone: &'static str,
}

impl Talk<'_> {
    /// Says something and reads the whole answer.
    pub(crate) async fn ask(&mut self, message: &str) -> Value {
        let answer = self
            .send(json!({ "message": message }))
            .await
            .assert_status(200)
            .json();
        self.conversation = answer["conversation_id"].as_str().map(str::to_owned);
        answer
    }

    /// Says something and reads what is answered.
    pub(crate) async fn say(&mut self, message: &str) -> String {
        self.ask(message).await["reply"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Sends a body with the conversation and the time zone added.
    pub(crate) async fn send(&self, mut body: Value) -> TestResponse {
        body["time_zone"] = json!(self.zone);
        if let Some(conversation) = &self.conversation {
            body["conversation_id"] = json!(conversation);
        }
        self.client.post("/api/chat", body).await
    }
}
