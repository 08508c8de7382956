//! A server that speaks the CRM's protocol as far as runs use it: it remembers what each token made, makes nothing twice under one
//! `Idempotency-Key`, and keeps tokens apart. The real CRM is in the tests of the
//! whole platform (services/bizosaas/tests/it/agents.rs).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use bz_kernel::{ExposeSecret, platform};
use bz_testkit::{Client, TestAppBuilder};
use serde_json::{Value, json};

use crate::provider::{Act, Provider, Seen};
use ai_orchestrator::AiOrchestrator;

/// What was made: by which token, under which key, and what.
#[derive(Default)]
struct Book {
    made: Vec<(String, Value)>,
    keys: HashMap<(String, String), Value>,
    refuses: bool,
}

/// The server.
pub(crate) struct Ledger {
    server: Provider,
    book: Arc<Mutex<Book>>,
}

impl Ledger {
    pub(crate) async fn start() -> Self {
        let book = Arc::<Mutex<Book>>::default();
        let desk = Arc::clone(&book);
        let server = Provider::scripted(move |seen| answer(&mut desk.lock().unwrap(), seen)).await;
        Self { server, book }
    }

    pub(crate) fn address(&self) -> &str {
        self.server.address()
    }

    /// The service with this CRM.
    pub(crate) fn of(&self, app: TestAppBuilder<AiOrchestrator>) -> TestAppBuilder<AiOrchestrator> {
        let url = format!("http://{}", self.address()).parse().unwrap();
        app.sibling(&platform::CRM, &url)
    }

    /// Accepts no token, or every one.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.book.lock().unwrap().refuses = refuses;
    }

    /// The titles of what was made, sorted.
    pub(crate) fn all(&self) -> Vec<String> {
        titles(self.book.lock().unwrap().made.iter().map(|(_, made)| made))
    }

    /// The titles of what a user made, sorted.
    pub(crate) fn of_user(&self, client: &Client) -> Vec<String> {
        // The provider reads heads in small letters.
        let token = client.token().unwrap().expose_secret().to_lowercase();
        let book = self.book.lock().unwrap();
        titles(
            book.made
                .iter()
                .filter(|(by, _)| *by == token)
                .map(|(_, made)| made),
        )
    }

    /// Makes something, as a person would.
    pub(crate) fn add(&self, title: &str) -> String {
        make(
            &mut self.book.lock().unwrap(),
            "",
            &json!({ "title": title }),
        )["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn titles<'a>(made: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut titles: Vec<String> = made
        .map(|made| made["title"].as_str().unwrap_or_default().to_owned())
        .collect();
    titles.sort();
    titles
}

fn header(seen: &Seen, name: &str) -> String {
    let line = seen.head.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().trim().to_owned()
}

fn make(book: &mut Book, token: &str, body: &Value) -> Value {
    let mut made = body.clone();
    made["id"] = json!(format!("0199e3a4-0000-7000-8000-{:012}", book.made.len()));
    book.made.push((token.to_owned(), made.clone()));
    made
}

fn answer(book: &mut Book, seen: &Seen) -> Act {
    let token = header(seen, "authorization: bearer ");
    let (method, key) = (
        seen.head.split(' ').next().unwrap().to_owned(),
        header(seen, "idempotency-key: "),
    );
    let problem = |status: u16, code: &str| {
        let body =
            json!({ "type": "x", "title": code, "status": status, "code": code }).to_string();
        Act::answer(status, "content-type: application/problem+json\r\n", &body)
    };
    if token.is_empty() || book.refuses {
        return problem(401, "unauthenticated");
    }
    let id = seen
        .path
        .split('/')
        .nth(3)
        .unwrap_or_default()
        .split('?')
        .next()
        .unwrap_or_default()
        .replace("%2d", "-")
        .replace("%2D", "-");
    match method.as_str() {
        "post" if id.is_empty() => {
            if let Some(made) = book.keys.get(&(token.clone(), key.clone())) {
                return Act::json(201, made);
            }
            let made = make(book, &token, &seen.body);
            book.keys.insert((token, key), made.clone());
            Act::json(201, &made)
        }
        "delete" => {
            book.made.retain(|(_, made)| made["id"] != id.as_str());
            Act::answer(204, "", "")
        }
        "get" if id.is_empty() || !id.starts_with("0199") => {
            let items: Vec<&Value> = book
                .made
                .iter()
                .filter(|(by, _)| *by == token)
                .map(|(_, made)| made)
                .collect();
            Act::json(200, &json!({ "items": items, "next_cursor": null }))
        }
        _ => match book
            .made
            .iter()
            .find(|(by, made)| *by == token && made["id"] == id.as_str())
        {
            Some((_, made)) => Act::json(200, made),
            None => problem(404, "not_found"),
        },
    }
}
