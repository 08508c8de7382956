//! The service as a process of its own, with what it needs around it.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use bz_kernel::{ExposeSecret, SecretString, Sources};
use bz_testkit::{ISSUER, Role, Tenant, TestDb, Tokens, wait_until};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::watch,
};
use url::Url;

use crate::{
    ledger::Ledger,
    provider::{Act, Provider},
};

/// How long tests wait, on a busy machine too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the process needs around it: identity's keys, the CRM behind a gate, a model.
pub(crate) struct Around {
    pub(crate) crm: Ledger,
    database: TestDb,
    pub(crate) gate: Gate,
    pub(crate) keys: Provider,
    pub(crate) model: Provider,
    pub(crate) token: SecretString,
}

impl Around {
    pub(crate) async fn with(model: Provider) -> Self {
        let crm = Ledger::start().await;
        let tokens = Tokens::new(Sources::system());
        let jwks = serde_json::to_value(tokens.jwks()).unwrap();
        let keys = Provider::scripted(move |_| Act::json(200, &jwks)).await;
        let address = format!("http://{}", crm.address()).parse().unwrap();
        Self {
            gate: Gate::before(&address).await,
            token: tokens.user(Tenant::Acme, Role::Owner),
            database: TestDb::new().await,
            crm,
            keys,
            model,
        }
    }

    pub(crate) fn database(&self) -> &TestDb {
        &self.database
    }

    pub(crate) fn titles(&self) -> Vec<String> {
        self.crm.all()
    }
}

/// A proxy that can keep the answers: what was asked is done, and nobody hears of it.
pub(crate) struct Gate {
    address: String,
    open: watch::Sender<bool>,
    held: Arc<AtomicBool>,
}

impl Gate {
    async fn before(target: &Url) -> Self {
        let target = target.authority().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (open, is_open) = watch::channel(true);
        let held = Arc::new(AtomicBool::new(false));
        let holds = Arc::clone(&held);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&target).await.unwrap();
                tokio::spawn(pass(client, server, is_open.clone(), Arc::clone(&holds)));
            }
        });
        Self {
            address,
            open,
            held,
        }
    }

    pub(crate) fn close(&self) {
        self.held.store(false, SeqCst);
        self.open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    /// Until an answer is kept.
    pub(crate) async fn holds(&self) {
        wait_until(async || self.held.load(SeqCst), PATIENCE).await;
    }
}

async fn pass(
    client: TcpStream,
    server: TcpStream,
    mut open: watch::Receiver<bool>,
    held: Arc<AtomicBool>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asking = tokio::spawn(async move {
        let _gone = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let mut piece = vec![0; 65_536];
    while let Ok(count) = from_server.read(&mut piece).await {
        if !*open.borrow() {
            held.store(true, SeqCst);
        }
        let opened = open.wait_for(|open| *open).await.is_ok();
        if count == 0 || !opened || to_client.write_all(&piece[..count]).await.is_err() {
            break;
        }
    }
    asking.abort();
}

/// The running service.
pub(crate) struct Process {
    pub(crate) child: Child,
    base: String,
    http: reqwest::Client,
    token: SecretString,
}

impl Process {
    pub(crate) async fn start(around: &Around) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let base = format!("http://127.0.0.1:{port}");
        let child = Command::new(env!("CARGO_BIN_EXE_ai-orchestrator"))
            .env_clear()
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", &port.to_string()),
                ("ADMIN_PORT", "0"),
                ("DRAIN_DELAY", "0s"),
                ("ENVIRONMENT", "development"),
                ("ISSUER", ISSUER),
                ("PLATFORM_SECRET", "0123456789abcdef0123456789abcdef"),
                ("DATABASE_URL", around.database().url("ai").expose_secret()),
                ("IDENTITY_URL", &format!("http://{}", around.keys.address())),
                ("CRM_URL", &format!("http://{}", around.gate.address)),
                (
                    "LLM_BASE_URL",
                    &format!("http://{}", around.model.address()),
                ),
                ("LLM_MODEL", "smollm2-135m"),
                ("RUN_LEASE", "3s"),
                ("RUN_HEARTBEAT", "300ms"),
                ("RUN_WORKERS", "50"),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let process = Self {
            child,
            base,
            http,
            token: around.token.clone(),
        };
        let ready = format!("{}/health/ready", process.base);
        let is_ready = async || {
            let answer = process.http.get(&ready).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        wait_until(is_ready, PATIENCE).await;
        process
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) async fn run(&self, task: &str) -> String {
        let body = json!({ "agent": "personal-assistant", "task": task });
        let answer = self
            .http
            .post(format!("{}/api/runs", self.base))
            .bearer_auth(self.token.expose_secret())
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
        let run: Value = answer.json().await.unwrap();
        run["id"].as_str().unwrap().to_owned()
    }
}
