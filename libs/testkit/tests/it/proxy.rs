//! The fault proxy in front of a server that sends back what it gets.

use std::{io::ErrorKind, time::Duration};

use bz_testkit::{Fault, FaultProxy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

const SOON: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(10);

async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn proxy() -> (FaultProxy, TcpStream) {
    let proxy = FaultProxy::start(echo().await).await;
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    (proxy, client)
}

async fn ask(client: &mut TcpStream, text: &str) -> std::io::Result<String> {
    client.write_all(text.as_bytes()).await?;
    answer(client, text.len()).await
}

async fn answer(client: &mut TcpStream, bytes: usize) -> std::io::Result<String> {
    let mut answer = vec![0; bytes];
    client.read_exact(&mut answer).await?;
    Ok(String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn everything_passes_and_is_counted_in_turns() {
    let (proxy, mut client) = proxy().await;
    for text in ["one", "three", "five"] {
        assert_eq!(ask(&mut client, text).await.unwrap(), text);
    }
    assert_eq!(
        (proxy.turns(), proxy.connections(), proxy.open_connections()),
        (3, 1, 1)
    );
    assert_eq!((proxy.bytes_asked(), proxy.bytes_answered()), (12, 12));
    proxy.reset_counts();
    assert_eq!(
        (
            proxy.turns(),
            proxy.connections(),
            proxy.bytes_asked(),
            proxy.bytes_answered()
        ),
        (0, 0, 0, 0)
    );
    ask(&mut client, "again").await.unwrap();
    assert_eq!(proxy.turns(), 1);
}

#[tokio::test]
async fn refusing_resets_what_is_open_and_refuses_what_is_new_until_it_is_lifted() {
    let (proxy, mut client) = proxy().await;
    ask(&mut client, "before").await.unwrap();
    proxy.set(Fault::Refuse).await;
    assert_eq!(
        client.read_u8().await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    assert_eq!(
        TcpStream::connect(proxy.address())
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::ConnectionRefused
    );
    proxy.set(Fault::Pass).await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut client, "after").await.unwrap(), "after");
}

#[tokio::test]
async fn cutting_resets_only_what_is_open() {
    let (proxy, mut client) = proxy().await;
    ask(&mut client, "before").await.unwrap();
    proxy.cut();
    assert_eq!(
        client.read_u8().await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut client, "after").await.unwrap(), "after");
}

#[tokio::test]
async fn a_hanging_proxy_accepts_and_answers_only_after_it_is_lifted() {
    let (proxy, mut old) = proxy().await;
    ask(&mut old, "before").await.unwrap();
    proxy.set(Fault::Hang).await;
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(timeout(SOON, ask(&mut old, "old")).await.is_err());
    assert!(timeout(SOON, ask(&mut new, "new")).await.is_err());
    proxy.set(Fault::Pass).await;
    assert_eq!(answer(&mut old, 3).await.unwrap(), "old");
    assert_eq!(answer(&mut new, 3).await.unwrap(), "new");
}

#[tokio::test]
async fn latency_is_added_in_both_directions() {
    let (proxy, mut client) = proxy().await;
    proxy
        .set(Fault::Delay {
            latency: SOON,
            jitter: Duration::from_millis(20),
        })
        .await;
    let start = Instant::now();
    ask(&mut client, "slow").await.unwrap();
    assert!(start.elapsed() >= 2 * SOON, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_reset_comes_after_exactly_so_many_bytes_of_the_answer() {
    let (proxy, mut client) = proxy().await;
    ask(&mut client, "before").await.unwrap();
    proxy.set(Fault::ResetAfter(5)).await;
    assert_eq!(ask(&mut client, "abc").await.unwrap(), "abc");
    client.write_all(b"defg").await.unwrap();
    // The reset may overtake the last bytes in the client's buffer, but nothing behind them ever arrives.
    let mut rest = Vec::new();
    let end = client.read_to_end(&mut rest).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(b"de".starts_with(&rest), "{rest:?}");
}

#[tokio::test]
async fn a_half_closed_connection_ends_its_answers_but_still_takes_bytes() {
    let (proxy, mut client) = proxy().await;
    ask(&mut client, "before").await.unwrap();
    proxy.set(Fault::HalfClose).await;
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    client.write_all(b"still").await.unwrap();
    bz_testkit::wait_until(async || proxy.bytes_asked() == 11, LONG).await;
}

#[tokio::test]
async fn a_proxy_that_stops_reading_lets_the_senders_buffers_fill_up() {
    let (proxy, mut client) = proxy().await;
    ask(&mut client, "before").await.unwrap();
    proxy.set(Fault::StopReading).await;
    let much = vec![b'x'; 64 * 1024 * 1024];
    assert!(timeout(SOON * 5, client.write_all(&much)).await.is_err());
    assert_eq!(proxy.bytes_asked(), 6);
}
