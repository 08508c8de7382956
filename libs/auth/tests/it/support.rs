//! A key, a clock, tokens, and an HTTP server that plays identity.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_auth::{Claims, Jwk, JwkSet, SigningKey, claims::UserGrant};
use bz_kernel::{Clock, ExposeSecret, FixedClock, Rng, SessionId, TenantId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;
use uuid::Uuid;

pub(crate) const ISSUER: &str = "https://id.example";

pub(crate) fn key(seed: u64) -> SigningKey {
    SigningKey::generate(&Rng::seeded(seed)).unwrap()
}

pub(crate) fn jwks(keys: &[&SigningKey]) -> JwkSet {
    JwkSet {
        keys: keys.iter().map(|key| key.to_jwk()).collect::<Vec<Jwk>>(),
    }
}

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_442_000, 0).unwrap()
}

pub(crate) fn clock() -> (Clock, FixedClock) {
    Clock::fixed(start())
}

#[expect(clippy::disallowed_methods, reason = "a test names its tenants")]
pub(crate) fn user_claims(roles: &[&str]) -> Claims {
    let grant = UserGrant {
        user: UserId::from_uuid(Uuid::from_u128(7)),
        tenant: TenantId::trusted(Uuid::from_u128(1)),
        home_tenant: TenantId::trusted(Uuid::from_u128(1)),
        session: SessionId::from_uuid(Uuid::from_u128(9)),
        client_id: "web".into(),
        roles: roles.iter().map(ToString::to_string).collect(),
        authenticated_at: start(),
        entitlements: Vec::new(),
        acr: "aal1".into(),
        amr: vec!["pwd".into()],
        act: None,
    };
    Claims::of_user(
        ISSUER,
        grant,
        Uuid::from_u128(3),
        start(),
        TimeDelta::minutes(10),
    )
}

pub(crate) fn token(key: &SigningKey, claims: &Claims) -> String {
    key.sign(claims).unwrap().expose_secret().to_owned()
}

/// A token with any header and any payload, signed well with `key`.
pub(crate) fn signed(key: &SigningKey, header: &Value, payload: &[u8]) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(header).unwrap()),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let encoding = jsonwebtoken::EncodingKey::from_ed_der(key.pkcs8());
    let signature = jsonwebtoken::crypto::sign(
        message.as_bytes(),
        &encoding,
        jsonwebtoken::Algorithm::EdDSA,
    )
    .unwrap();
    format!("{message}.{signature}")
}

/// Answers every request with the same text, and counts them.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<AtomicUsize>,
    answer: Arc<Mutex<Option<String>>>,
    last: Arc<Mutex<String>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Into<Option<String>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            answer: Arc::new(Mutex::new(answer.into())),
            last: Arc::default(),
        };
        let this = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(this.clone().answer(stream));
            }
        });
        server
    }

    /// `None`: every connection ends without an answer.
    pub(crate) fn set(&self, answer: Option<String>) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.requests.load(SeqCst)
    }

    pub(crate) fn last_request(&self) -> String {
        self.last.lock().unwrap().clone()
    }

    async fn answer(self, mut stream: TcpStream) -> Option<()> {
        let request = read_request(&mut stream).await?;
        *self.last.lock().unwrap() = request;
        self.requests.fetch_add(1, SeqCst);
        let body = self.answer.lock().unwrap().clone()?;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(body.as_bytes()).await.ok()
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok())
            .unwrap_or(0);
        if body.len() >= length {
            return Some(text.into_owned());
        }
    }
}
