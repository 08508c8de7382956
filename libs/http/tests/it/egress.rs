//! The way out to addresses that tenants give.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use bz_http::egress::{
    Egress, EgressAnswer, EgressError, EgressLimits, EgressPolicy, Looking, Lookup,
};
use http::{HeaderMap, Method};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const LIMITS: EgressLimits = EgressLimits {
    total: Duration::from_secs(2),
    connect: Duration::from_secs(1),
    answer: 1000,
};

/// A server that gives everybody the same answer, and counts them.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<String>>,
}

impl Server {
    async fn answering(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            seen: Arc::default(),
        };
        let (connections, seen) = (Arc::clone(&server.connections), Arc::clone(&server.seen));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                *seen.lock().unwrap() = String::from_utf8_lossy(&request[..read]).into_owned();
                let _ = stream.write_all(answer.as_bytes()).await;
                // An empty answer is one that never comes.
                if answer.is_empty() {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            }
        });
        server
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn answer(head: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn allowing(items: &[&str]) -> EgressPolicy {
    EgressPolicy::default().allow(items).unwrap()
}

async fn post(egress: &Egress, url: &str) -> Result<EgressAnswer, EgressError> {
    egress
        .send(
            Method::POST,
            url,
            HeaderMap::new(),
            Bytes::from_static(b"{}"),
        )
        .await
}

async fn post_under(policy: EgressPolicy, url: &str) -> Result<EgressAnswer, EgressError> {
    post(&Egress::new(policy, LIMITS).unwrap(), url).await
}

/// Pitfall 56: addresses of this machine and this network in all the ways to write them, other schemes, credentials.
#[tokio::test]
async fn addresses_that_are_not_the_public_internet_are_refused_in_every_form() {
    let server = Server::answering(answer("200 OK", "secret")).await;
    let port = server.port;
    let refused = [
        "127.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "１２７.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "10.0.0.1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "postgres",
        "metadata.google.internal",
        "printer.local",
    ];
    for host in refused {
        let url = format!("https://{host}:{port}/");
        let refused = post_under(EgressPolicy::default(), &url).await.unwrap_err();
        assert_eq!(refused.code(), "url_refused", "{url}: {refused}");
    }
    for (url, code) in [
        ("http://example.com/", "https_required"),
        ("ftp://example.com/", "https_required"),
        ("file:///etc/passwd", "https_required"),
        ("gopher://example.com/", "https_required"),
        ("https://user@example.com/", "credentials_in_url"),
        ("https://:password@example.com/", "credentials_in_url"),
        ("https://example.com/#there", "fragment_in_url"),
        ("https://", "invalid_url"),
        ("//example.com", "invalid_url"),
        ("", "invalid_url"),
        ("https://[::1", "invalid_url"),
    ] {
        assert_eq!(
            EgressPolicy::default().check(url).unwrap_err().code,
            code,
            "{url}"
        );
    }
    let long = format!("https://example.com/{}", "a".repeat(2048));
    assert_eq!(
        EgressPolicy::default().check(&long).unwrap_err().code,
        "too_long"
    );
    for good in [
        "https://example.com/hook?x=1",
        "https://8.8.8.8:8443/",
        "https://[2606:4700::1111]/",
    ] {
        assert!(EgressPolicy::default().check(good).is_ok(), "{good}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_operator_may_allow_hosts_and_networks() {
    let server = Server::answering(answer("200 OK", "hello")).await;
    let url = format!("http://127.0.0.1:{}/", server.port);
    assert!(post_under(allowing(&["10.0.0.0/8"]), &url).await.is_err());
    for items in [&["127.0.0.0/8"][..], &["10.0.0.0/8", "127.0.0.1"]] {
        let answer = post_under(allowing(items), &url).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (200, &b"hello"[..])
        );
    }
    let by_name = format!("http://localhost:{}/", server.port);
    assert!(post_under(allowing(&["localhost"]), &by_name).await.is_ok());
    for wrong in ["10.0.0.0/33", "a b", "http://x/", ""] {
        assert!(EgressPolicy::default().allow([wrong]).is_err(), "{wrong}");
    }
}

/// Answers from a list, one lookup after the other.
struct Scripted {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    lookups: AtomicUsize,
}

impl Scripted {
    fn new(answers: &[&[[u8; 4]]]) -> Arc<Self> {
        let addresses = |list: &&[[u8; 4]]| {
            list.iter()
                .map(|bytes| Ipv4Addr::from(*bytes).into())
                .collect()
        };
        Arc::new(Self {
            answers: Mutex::new(answers.iter().rev().map(addresses).collect()),
            lookups: AtomicUsize::new(0),
        })
    }
}

impl Lookup for Scripted {
    fn lookup(&self, _: &str) -> Looking {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let found = self.answers.lock().unwrap().pop().unwrap_or_default();
        Box::pin(async move { Ok(found) })
    }
}

/// Pitfall 56: a name whose addresses change between two lookups. There is one lookup, the connection goes to what it
/// answered, and the next request looks and checks anew.
#[tokio::test]
async fn a_name_that_is_rebound_gains_nothing() {
    let server = Server::answering(answer("200 OK", "secret")).await;
    let names = Scripted::new(&[&[[127, 0, 0, 2]], &[[127, 0, 0, 1]]]);
    // 127.0.0.2 stands for the public address; nobody listens there.
    let egress = Egress::with_lookup(allowing(&["127.0.0.2"]), LIMITS, names.clone()).unwrap();
    let url = format!("https://rebind.example.com:{}/", server.port);
    let first = post(&egress, &url).await.unwrap_err();
    assert_eq!(first.code(), "no_connection");
    assert_eq!(names.lookups.load(Ordering::SeqCst), 1);
    let second = post(&egress, &url).await.unwrap_err();
    assert_eq!(second.code(), "address_refused");
    assert_eq!(names.lookups.load(Ordering::SeqCst), 2);
    assert_eq!(server.connections(), 0);
    assert!(!second.to_string().contains("127"));
}

/// Pitfall 56: every address of a name is checked, not only the first.
#[tokio::test]
async fn one_bad_address_among_good_ones_is_enough_to_refuse() {
    let server = Server::answering(answer("200 OK", "secret")).await;
    for addresses in [
        &[[127, 0, 0, 2], [127, 0, 0, 1]],
        &[[127, 0, 0, 1], [127, 0, 0, 2]],
    ] {
        let names = Scripted::new(&[addresses]);
        let egress = Egress::with_lookup(allowing(&["127.0.0.2"]), LIMITS, names).unwrap();
        let url = format!("https://mixed.example.com:{}/", server.port);
        assert_eq!(
            post(&egress, &url).await.unwrap_err().code(),
            "address_refused"
        );
    }
    assert_eq!(server.connections(), 0);
}

/// Pitfall 56: a server that sends us on to this machine.
#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let inner = Server::answering(answer("200 OK", "secret")).await;
    let location = format!("302 Found\r\nlocation: http://127.0.0.1:{}/", inner.port);
    let outer = Server::answering(answer(&location, "")).await;
    let url = format!("http://127.0.0.1:{}/", outer.port);
    let answer = post_under(allowing(&["127.0.0.1"]), &url).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!((outer.connections(), inner.connections()), (1, 0));
}

/// Pitfall 56: a server that answers without end, and one that does not answer.
#[tokio::test]
async fn answers_are_cut_and_not_waited_for() {
    let endless =
        "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".to_owned() + &"x".repeat(5000);
    let endless = Server::answering(endless).await;
    let url = format!("http://127.0.0.1:{}/", endless.port);
    let cut = post_under(allowing(&["127.0.0.1"]), &url).await.unwrap();
    assert_eq!(cut.body.len(), 1000);

    let silent = Server::answering(String::new()).await;
    let url = format!("http://127.0.0.1:{}/", silent.port);
    let error = post_under(allowing(&["127.0.0.1"]), &url)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "timeout");
}

#[tokio::test]
async fn an_answer_can_be_read_as_it_comes_and_no_further_than_the_limit() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let egress = Egress::new(allowing(&["127.0.0.1"]), LIMITS).unwrap();
    for (length, read, cut) in [(999, 999, false), (5000, 1000, true)] {
        let server = Server::answering(head.to_owned() + &"x".repeat(length)).await;
        let url = format!("http://127.0.0.1:{}/", server.port);
        let opened = egress.open(Method::POST, &url, HeaderMap::new(), Bytes::new());
        let mut stream = opened.await.unwrap();
        assert_eq!(stream.headers["content-type"], "text/event-stream");
        let mut bytes = 0;
        while let Some(piece) = stream.chunk().await.unwrap() {
            bytes += piece.len();
        }
        assert_eq!((bytes, stream.is_cut()), (read, cut));
    }
    let opened = egress.open(
        Method::POST,
        "https://10.0.0.1/",
        HeaderMap::new(),
        Bytes::new(),
    );
    assert_eq!(opened.await.unwrap_err().code(), "url_refused");
}

#[tokio::test]
async fn with_a_proxy_it_is_the_proxy_that_is_called_and_that_resolves() {
    let proxy = Server::answering(answer("200 OK", "by the proxy")).await;
    let address = format!("http://localhost:{}", proxy.port).parse().unwrap();
    let policy = allowing(&["far.example.com"]).through(Some(address));
    let answer = post_under(policy.clone(), "http://far.example.com/hook")
        .await
        .unwrap();
    assert_eq!(&answer.body[..], b"by the proxy");
    assert!(
        proxy
            .seen
            .lock()
            .unwrap()
            .starts_with("POST http://far.example.com/hook ")
    );
    let refused = post_under(policy, "https://127.0.0.1/").await.unwrap_err();
    assert_eq!(refused.code(), "url_refused");
}
