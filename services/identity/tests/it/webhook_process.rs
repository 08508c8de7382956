//! Webhooks of the real process, which is killed, and whose messages the specification's own libraries verify.

use std::process::Stdio;

use bz_testkit::{
    Receiver, TestDb,
    receiver::{Message, SILENCE},
    wait_until,
};
use serde_json::{Value, json};
use sqlx::query_scalar;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{
    process::{PATIENCE, Process},
    support::{PASSWORD, client_program},
};

async fn start(database: &TestDb) -> Process {
    Process::start(database, &[("EGRESS_ALLOW", "127.0.0.1")]).await
}

/// What the process answers; null for an empty body.
async fn post(process: &Process, path: &str, token: &str, body: &Value) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}{path}", process.base));
    let answer = request.bearer_auth(token).json(body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    let text = answer.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_default()
}

/// As if the lease of what was under way had run out.
async fn let_the_lease_run_out(database: &TestDb) {
    let sql =
        "UPDATE identity.webhook_deliveries SET next_attempt_at = now() WHERE status = 'pending'";
    sqlx::query(sql)
        .execute(&mut database.admin().await)
        .await
        .unwrap();
}

/// Pitfall 58: the process is killed when the change is committed and nothing was sent, and once more when the message
/// was sent and nobody has answered. The message arrives, under the same id. Pitfall 57 is in what arrives: the Standard
/// Webhooks libraries for Python and JavaScript accept it, and refuse it when it is altered.
#[tokio::test]
async fn a_message_survives_two_kills_and_the_standard_libraries_verify_it() {
    let database = TestDb::new().await;
    let receiver = Receiver::answering(SILENCE).await;
    let first = start(&database).await;
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD });
    let tokens = post(&first, "/auth/register", "", &ada).await;
    let token = tokens["access_token"].as_str().unwrap();
    let hook = json!({ "url": receiver.url, "events": ["session.*"] });
    let webhook = post(&first, "/api/webhooks", token, &hook).await;
    // An open transaction holds the outbox back: the change below is committed, and its event not seen.
    let mut admin = database.admin().await;
    sqlx::raw_sql("BEGIN; SELECT pg_current_xact_id()")
        .execute(&mut admin)
        .await
        .unwrap();
    post(&first, "/auth/logout", token, &json!({})).await;
    first.kill().await;
    sqlx::raw_sql("ROLLBACK").execute(&mut admin).await.unwrap();
    assert_eq!(receiver.count(), 0);

    let second = start(&database).await;
    wait_until(async || receiver.count() == 1, PATIENCE).await;
    second.kill().await;
    receiver.answer_from_now_on(200);
    let_the_lease_run_out(&database).await;

    let third = start(&database).await;
    let delivered = "SELECT count(*) FROM identity.webhook_deliveries WHERE status = 'delivered'";
    wait_until(
        async || {
            query_scalar::<_, i64>(delivered)
                .fetch_one(&mut admin)
                .await
                .unwrap()
                == 1
        },
        PATIENCE,
    )
    .await;
    third.kill().await;
    let messages = receiver.messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0].id(), messages[1].id());
    assert_eq!(messages[1].json()["type"], "session.revoked");
    let secret = webhook["secret"].as_str().unwrap();
    let python = client_program("venv/bin/python").unwrap_or_else(|| "python3".into());
    verified_by(&python, &["-c", PYTHON], secret, &messages[1]).await;
    let node = std::path::Path::new("node");
    verified_by(node, &["-e", JAVASCRIPT], secret, &messages[1]).await;
}

const PYTHON: &str = "
import json, sys
try:
    from standardwebhooks import Webhook, WebhookVerificationError
except ImportError:
    sys.exit(print('skipped: the package standardwebhooks is not installed'))
given = json.load(sys.stdin)
hook = Webhook(given['secret'])
assert hook.verify(given['body'], given['headers'])['type'] == 'session.revoked'
try:
    hook.verify(given['body'] + ' ', given['headers'])
except WebhookVerificationError:
    print('verified')
";

const JAVASCRIPT: &str = "
let Webhook;
try {
  ({ Webhook } = require('standardwebhooks'));
} catch {
  console.log('skipped: the package standardwebhooks is not installed');
  process.exit(0);
}
const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const hook = new Webhook(given.secret);
if (hook.verify(given.body, given.headers).type !== 'session.revoked') process.exit(1);
try {
  hook.verify(given.body + ' ', given.headers);
} catch {
  console.log('verified');
}
";

/// Lets a program verify a message. It is skipped where the interpreter or the package (`pip install standardwebhooks`,
/// `npm install standardwebhooks`; `PYTHONPATH` and `NODE_PATH` say where) is missing.
async fn verified_by(
    program: &std::path::Path,
    arguments: &[&str],
    secret: &str,
    message: &Message,
) {
    let modules = client_program("node_modules").unwrap_or_default();
    let spawned = Command::new(program)
        .args(arguments)
        .env("NODE_PATH", modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        println!("skipped: {} is not installed", program.display());
        return;
    };
    let headers = message.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())));
    let headers = Value::Object(headers.collect());
    let given = json!({ "secret": secret, "body": message.body, "headers": headers });
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(given.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    println!("{}: {said}", program.display());
    assert!(output.status.success(), "{}", program.display());
    assert!(
        said.starts_with("verified") || said.starts_with("skipped"),
        "{}: {said}",
        program.display()
    );
}
