//! The widget in a real browser, on a page of another origin with a strict Content-Security-Policy. Skipped where there is no
//! Chromium.

use std::process::Stdio;
use std::time::Duration;

use bz_kernel::{ExposeSecret, platform};
use bz_testkit::TestApp;
use chatbot::Chatbot;
use crm::Crm;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

/// What drives the page: it opens the chat, says something with the keyboard, answers the question, and closes the chat.
const DRIVER: &str = include_str!("widget_in_chromium.js");

/// A page's server: the page, and its script with the token in it.
async fn serve(listener: TcpListener, widget: String, token: String) {
    let policy = format!("default-src 'none'; script-src 'self' {widget}; connect-src {widget}");
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><title>waiting</title><script src=\"/driver.js\"></script>\
         <script src=\"{widget}/widget.js\" data-token-function=\"chatToken\" defer></script></head>\
         <body><h1>A page</h1></body></html>"
    );
    let driver = DRIVER.replace("TOKEN", &token);
    while let Ok((mut socket, _)) = listener.accept().await {
        let mut request = vec![0; 8192];
        let read = socket.read(&mut request).await.unwrap_or(0);
        let wants_script = request[..read].starts_with(b"GET /driver.js");
        let (kind, body) = match wants_script {
            true => ("text/javascript", &driver),
            false => ("text/html", &page),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-security-policy: {policy}\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
        let _ = socket.shutdown().await;
    }
}

async fn looked_at(page: &str) -> Option<String> {
    let mut chromium = Command::new("chromium");
    chromium
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--timeout=60000",
        ])
        .args(["--virtual-time-budget=30000", "--dump-dom", page])
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(Duration::from_secs(120), chromium.output()).await;
    let output = output.unwrap().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_widget_works_by_keyboard_on_a_strict_page_of_another_origin() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let crm = TestApp::<Crm>::start().await;
    let crm_url = crm.listen().await;
    let chat = TestApp::<Chatbot>::builder()
        .beside(&crm)
        .sibling(&platform::CRM, &crm_url)
        .env("CHAT_LLM", "off")
        .env("CORS_ALLOWED_ORIGINS", origin.as_str())
        .start()
        .await;
    let todo = json!({ "title": "<b>report</b>" });
    crm.acme
        .owner
        .post("/api/todos", todo)
        .await
        .assert_status(201);
    let widget = chat.listen().await;
    let widget = widget.as_str().trim_end_matches('/').to_owned();
    let token = chat.acme.owner.token().unwrap().expose_secret().to_owned();
    let server = tokio::spawn(serve(listener, widget, token));
    let Some(dom) = looked_at(&origin).await else {
        println!("skipped: no chromium");
        return;
    };
    server.abort();
    let seen = dom
        .split("<title>")
        .nth(1)
        .and_then(|rest| rest.split("</title>").next());
    assert_eq!(
        seen,
        Some(
            "focus message; expanded true; choices Yes|No; after Undo; markup 0; hidden true; focus open; errors []"
        ),
        "{dom}"
    );
    let left = crm.acme.owner.get("/api/todos").await.json();
    assert_eq!(left["items"], json!([]));
}
