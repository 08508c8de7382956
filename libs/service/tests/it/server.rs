use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response};
use bz_http::ClientIp;
use bz_service::server::{self, Handler, Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Answers `/slow` when released and everything else at once.
#[derive(Default)]
struct Echo {
    entered: AtomicUsize,
    released: Notify,
}

impl Handler for Echo {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        self.entered.fetch_add(1, Ordering::SeqCst);
        if request.uri().path() == "/slow" {
            self.released.notified().await;
        }
        let client = request
            .extensions()
            .get::<ClientIp>()
            .map(|client| client.0);
        match (request.uri().path(), client) {
            ("/client", Some(client)) => Response::new(Body::from(format!("/client {client}"))),
            (path, _) => Response::new(Body::from(path.to_owned())),
        }
    }
}

struct Running {
    address: std::net::SocketAddr,
    echo: Arc<Echo>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn limits() -> Limits {
    let (header_read_timeout, keep_alive_timeout) =
        (Duration::from_secs(10), Duration::from_secs(75));
    Limits {
        max_connections: 64,
        header_read_timeout,
        keep_alive_timeout,
    }
}

fn start(limits: Limits) -> Running {
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (echo, stop) = (Arc::new(Echo::default()), CancellationToken::new());
    let server = Server::new(vec![listener], limits, Arc::clone(&echo));
    let task = tokio::spawn(server.run(stop.clone()));
    Running {
        address,
        echo,
        stop,
        task,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn until_entered(&self, requests: usize) {
        while self.echo.entered.load(Ordering::SeqCst) < requests {
            tokio::task::yield_now().await;
        }
    }
}

async fn ask(stream: &mut TcpStream, path: &str) {
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
        .await
        .unwrap();
}

/// Reads one response whose body is its path.
async fn answer(stream: &mut TcpStream, path: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.ends_with(&format!("\r\n\r\n{path}")) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0; 64]).await, Ok(0) | Err(_))
}

#[tokio::test]
async fn a_half_sent_head_is_cut_off_in_time() {
    let running = start(Limits {
        header_read_timeout: Duration::from_millis(200),
        ..limits()
    });
    let mut stream = running.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let started = Instant::now();
    assert!(is_closed(&mut stream).await);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_kept_alive_connection_may_idle_longer_than_a_head_may_take_but_not_for_ever() {
    let times = (Duration::from_millis(100), Duration::from_millis(600));
    let running = start(Limits {
        header_read_timeout: times.0,
        keep_alive_timeout: times.1,
        ..limits()
    });
    let mut stream = running.connect().await;
    ask(&mut stream, "/a").await;
    answer(&mut stream, "/a").await;
    let still_open = tokio::time::timeout(Duration::from_millis(300), is_closed(&mut stream))
        .await
        .is_err();
    assert!(still_open, "closed while idle");
    ask(&mut stream, "/b").await;
    answer(&mut stream, "/b").await;
    let started = Instant::now();
    assert!(is_closed(&mut stream).await);
    assert!(started.elapsed() >= Duration::from_millis(550));

    let mut stream = running.connect().await;
    ask(&mut stream, "/a").await;
    answer(&mut stream, "/a").await;
    let started = Instant::now();
    stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    assert!(is_closed(&mut stream).await);
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "a half-sent second head was held"
    );
}

#[tokio::test]
async fn at_the_cap_further_connections_wait_and_are_served_later() {
    let running = start(Limits {
        max_connections: 2,
        ..limits()
    });
    let mut first = running.connect().await;
    let mut second = running.connect().await;
    for stream in [&mut first, &mut second] {
        ask(stream, "/a").await;
        answer(stream, "/a").await;
    }
    let mut third = running.connect().await;
    ask(&mut third, "/b").await;
    let waited = tokio::time::timeout(Duration::from_millis(200), answer(&mut third, "/b")).await;
    assert!(waited.is_err(), "the third was served beyond the cap");
    drop(first);
    answer(&mut third, "/b").await;
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight_and_refuses_new_connections() {
    let running = start(limits());
    let mut stream = running.connect().await;
    ask(&mut stream, "/slow").await;
    running.until_entered(1).await;
    running.stop.cancel();
    while TcpStream::connect(running.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!running.task.is_finished());
    running.echo.released.notify_one();
    let head = answer(&mut stream, "/slow").await;
    assert!(head.contains("connection: close"), "{head}");
    assert!(is_closed(&mut stream).await);
    running.task.await.unwrap();
}

#[tokio::test]
async fn a_request_that_arrives_on_an_idle_connection_during_the_stop_is_answered() {
    let running = start(limits());
    let mut stream = running.connect().await;
    ask(&mut stream, "/a").await;
    answer(&mut stream, "/a").await;
    running.stop.cancel();
    ask(&mut stream, "/b").await;
    let head = answer(&mut stream, "/b").await;
    assert!(head.contains("connection: close"), "{head}");
    running.task.await.unwrap();
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_a_stop() {
    let running = start(limits());
    let mut used = running.connect().await;
    ask(&mut used, "/a").await;
    answer(&mut used, "/a").await;
    let mut unused = running.connect().await;
    running.stop.cancel();
    tokio::time::timeout(Duration::from_secs(3), running.task)
        .await
        .unwrap()
        .unwrap();
    assert!(is_closed(&mut used).await);
    assert!(is_closed(&mut unused).await);
}

#[tokio::test]
async fn several_addresses_answer_the_same() {
    let listeners: Vec<_> = (0..2)
        .map(|_| server::bind("127.0.0.1:0".parse().unwrap()).unwrap())
        .collect();
    let addresses: Vec<_> = listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap())
        .collect();
    let server = Server::new(listeners, limits(), Arc::new(Echo::default()));
    let _running = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(
        server.run(CancellationToken::new()),
    ));
    for address in addresses {
        let mut stream = TcpStream::connect(address).await.unwrap();
        ask(&mut stream, "/a").await;
        answer(&mut stream, "/a").await;
    }
}

#[tokio::test]
async fn a_request_carries_the_address_that_it_came_from() {
    let running = start(limits());
    let mut stream = running.connect().await;
    ask(&mut stream, "/client").await;
    answer(&mut stream, "/client 127.0.0.1").await;
}

#[tokio::test]
async fn an_address_in_use_is_a_clear_error() {
    let running = start(limits());
    let error = server::bind(running.address).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", running.address)
    );
}
