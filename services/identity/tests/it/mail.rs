//! Sending: what a mail server says, what a process that dies leaves behind, what is deleted.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use bz_tenant::TenantScope;
use bz_testkit::{Role, Tenant, TestAppBuilder, wait_until};
use chrono::TimeDelta;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    mailbox::{Mailbox, settled},
    support::{
        IdentityApp, IdentityUnderTest, PASSWORD, address, builder, client_program, count, start,
    },
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A mail server that answers each `RCPT` with the next of its answers, and keeps what it takes.
#[derive(Clone)]
struct Server {
    answers: Arc<Mutex<Vec<&'static str>>>,
    taken: Arc<Mutex<Vec<String>>>,
    address: String,
}

impl Server {
    async fn start(mut answers: Vec<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        answers.reverse();
        let server = Self {
            answers: Arc::new(Mutex::new(answers)),
            taken: Arc::default(),
            address: listener.local_addr().unwrap().to_string(),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let serving = serving.clone();
                // A client that goes away is one of the things that happen.
                tokio::spawn(async move { serving.talk(client).await.ok() });
            }
        });
        server
    }

    async fn talk(&self, mut client: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = client.split();
        let mut lines = tokio::io::BufReader::new(read).lines();
        write.write_all(b"220 mail.test\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => "250-mail.test\r\n250 8BITMIME",
                "RCPT" => {
                    let next = self.answers.lock().unwrap().pop();
                    next.unwrap_or("250 ok")
                }
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    let mut message = String::new();
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        message += &line;
                        message.push('\n');
                    }
                    self.taken.lock().unwrap().push(message);
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

fn with_server(address: &str) -> TestAppBuilder<IdentityUnderTest> {
    builder()
        .env("MAIL_URL", format!("smtp://{address}"))
        .env("MAIL_FROM", "BizOSaaS <no-reply@bizosaas.example>")
}

/// Asks for a new password, so that there is a mail.
async fn ask(app: &IdentityApp) {
    let body = json!({ "email": address(Tenant::Acme, Role::Member) });
    app.anonymous
        .post("/auth/password/forgot", body)
        .await
        .assert_status(202);
    settled(app).await;
}

async fn ended(app: &IdentityApp, column: &str) {
    let sql = format!("SELECT count(*) FROM identity.mails WHERE {column} IS NOT NULL");
    wait_until(async || count(app, &sql).await > 0, PATIENCE).await;
}

#[tokio::test]
async fn a_mail_server_that_is_busy_gets_the_mail_later_and_once() {
    let server = Server::start(vec!["450 busy", "451 greylisted"]).await;
    let mut app = with_server(&server.address).start().await;
    ask(&app).await;
    app.start_jobs();
    for attempts in 1..=2 {
        let tried = format!("SELECT count(*) FROM identity.mails WHERE attempts = {attempts}");
        wait_until(async || count(&app, &tried).await == 1, PATIENCE).await;
        app.clock.advance(TimeDelta::minutes(1));
    }
    ended(&app, "sent_at").await;
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    for expected in [
        "To: member@acme.test\n",
        "From: BizOSaaS <no-reply@bizosaas.example>\n",
        "rp1.",
        "text/html",
    ] {
        assert!(taken[0].contains(expected), "{expected}: {}", taken[0]);
    }
    let secret = "SELECT count(*) FROM identity.mails WHERE octet_length(sealed) > 0";
    assert_eq!(count(&app, secret).await, 0, "what was sent is forgotten");
    app.stop_jobs().await;
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_is_given_up_and_so_is_a_server_that_is_away_for_a_day() {
    let server = Server::start(vec!["550 no such user"]).await;
    let mut app = with_server(&server.address).start().await;
    ask(&app).await;
    app.start_jobs();
    ended(&app, "failed_at").await;
    assert!(server.taken().is_empty());
    app.stop_jobs().await;

    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let mut app = with_server(&nobody.to_string()).start().await;
    ask(&app).await;
    app.clock.advance(TimeDelta::hours(24));
    app.start_jobs();
    ended(&app, "failed_at").await;
    app.refresh_health().await;
    app.stop_jobs().await;
}

/// Pitfall 58: a mail is written in the transaction of what it tells, and one that a process had taken when it died is
/// sent by the next.
#[tokio::test]
async fn a_mail_outlives_the_process_that_wanted_to_send_it() {
    let mailbox = Mailbox::new();
    let mut app = builder().env("MAIL_URL", mailbox.url()).start().await;
    ask(&app).await;
    // What the job does first, and then the process is killed.
    let now = app.core.sources.now();
    let mut tx = app.db().system().await.unwrap();
    let claimed = sqlx::query("SELECT id FROM identity.claim_mails($1, $2, 10)")
        .bind(now)
        .bind(now + TimeDelta::minutes(10))
        .fetch_all(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claimed.len(), 1);
    let mut tx = app.db().system().await.unwrap();
    let again = sqlx::query("SELECT id FROM identity.claim_mails($1, $1, 10)")
        .bind(now)
        .fetch_all(tx.conn())
        .await;
    assert!(again.unwrap().is_empty(), "nobody else sends it meanwhile");
    drop(tx);
    app.clock.advance(TimeDelta::minutes(10));
    app.start_jobs();
    mailbox.take(&address(Tenant::Acme, Role::Member)).await;
    ended(&app, "sent_at").await;
    app.stop_jobs().await;
    assert_eq!(mailbox.count(), 0);
}

#[tokio::test]
async fn a_sealed_mail_shows_neither_the_address_nor_the_link_to_whoever_reads_the_table() {
    let app = start().await;
    ask(&app).await;
    for text in ["member@acme.test", "rp1.", "http"] {
        let sql = format!(
            "SELECT count(*) FROM identity.mails WHERE position('{text}'::bytea IN sealed) > 0"
        );
        assert_eq!(count(&app, &sql).await, 0, "{text}");
    }
}

/// Pitfall 65: mails, tokens and registrations that nobody verified do not stay for ever.
#[tokio::test]
async fn what_has_served_its_time_goes_in_batches() {
    let app = builder()
        .env("REGISTRATION_POLICY", "verified")
        .start()
        .await;
    for n in 0..3 {
        let request = json!({ "email": format!("old{n}@example.com"), "password": PASSWORD });
        app.anonymous
            .post("/auth/register", request)
            .await
            .assert_status(202);
        settled(&app).await;
    }
    let purge = async |what: &str, at: &str| {
        let mut tx = app.db().system().await.unwrap();
        let sql = format!("SELECT identity.purge_{what}('{at}', 2)");
        let gone: i64 = sqlx::query_scalar(&sql).fetch_one(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    let (early, late) = ("2026-03-02T09:00:00Z", "2026-03-20T09:00:00Z");
    for what in ["mails", "one_time_tokens", "unverified"] {
        assert_eq!(purge(what, early).await, 0, "{what}");
    }
    for what in ["mails", "one_time_tokens", "unverified"] {
        let gone = [
            purge(what, late).await,
            purge(what, late).await,
            purge(what, late).await,
        ];
        assert_eq!(gone, [2, 1, 0], "{what}");
    }
    // The tenants of the tests have users that were never verified either, but are somebody's home.
    assert_eq!(
        count(&app, "SELECT count(*) FROM identity.tenants").await,
        2
    );
    let mut tx = app
        .db()
        .tenant(&TenantScope::new(Tenant::Acme.id(), None))
        .await
        .unwrap();
    let users: i64 = sqlx::query_scalar("SELECT count(*) FROM identity.users")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    assert_eq!(users, 4);
}

#[tokio::test]
async fn a_real_mail_server_takes_the_mail() {
    let Some((mut server, port)) = aiosmtpd() else {
        return;
    };
    let mut app = with_server(&format!("127.0.0.1:{port}")).start().await;
    app.start_jobs();
    ask(&app).await;
    ended(&app, "sent_at").await;
    let mut output = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = output.next().unwrap().unwrap();
    assert_eq!(
        line,
        "no-reply@bizosaas.example -> member@acme.test: Choose a new password [text/plain, text/html]"
    );
    server.kill().unwrap();
    server.wait().unwrap();
    app.stop_jobs().await;
}

/// aiosmtpd, which prints a line for each message that Python's own parser understands; with its port.
fn aiosmtpd() -> Option<(Child, u16)> {
    const PROGRAM: &str = "
import email, sys, time
from email import policy
from aiosmtpd.controller import Controller
class Print:
    async def handle_DATA(self, server, session, envelope):
        m = email.message_from_bytes(envelope.content, policy=policy.default)
        parts = ', '.join(p.get_content_type() for p in m.iter_parts())
        print(f'{envelope.mail_from} -> {\", \".join(envelope.rcpt_tos)}: {m[\"subject\"]} [{parts}]', flush=True)
        return '250 OK'
Controller(Print(), hostname='127.0.0.1', port=int(sys.argv[1])).start()
print('ready', file=sys.stderr, flush=True)
time.sleep(600)
";
    let python = client_program("venv/bin/python")?;
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut child = Command::new(python)
        .args(["-c", PROGRAM, &free.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut said = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    if said.trim() != "ready" {
        child.kill().unwrap();
        child.wait().unwrap();
        return None;
    }
    Some((child, free))
}
