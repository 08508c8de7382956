//! Export of traces, to a collector that only keeps what it gets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use bz_kernel::ExposeSecret;
use bz_service::server::{self, Handler, Limits, Server};
use bz_testkit::TestDb;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::process::{self, Process};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[derive(Default)]
struct Collector {
    received: Mutex<Vec<(String, Vec<u8>)>>,
}

impl Handler for Collector {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let body = axum::body::to_bytes(request.into_body(), 1 << 20)
            .await
            .unwrap();
        self.received.lock().unwrap().push((path, body.to_vec()));
        Response::default()
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle)
}

#[tokio::test]
async fn spans_of_a_callers_trace_reach_the_collector_before_the_process_ends() {
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let second = Duration::from_secs(10);
    let limits = Limits {
        max_connections: 8,
        header_read_timeout: second,
        keep_alive_timeout: second,
    };
    let collector = Arc::new(Collector::default());
    let server = Server::new(vec![listener], limits, Arc::clone(&collector));
    let _serving = AbortOnDropHandle::new(tokio::spawn(server.run(CancellationToken::new())));

    let db = TestDb::new().await;
    let url = db.url("crm");
    let variables = [
        ("DATABASE_URL", url.expose_secret()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ];
    let mut process = Process::start_ready(&variables).await;
    let request = format!(
        "GET /api/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n\r\n"
    );
    assert_eq!(process::send(process.api, &request).await.unwrap().0, 200);
    process.signal("TERM");
    assert!(process.ended().await.success());

    let received = collector.received.lock().unwrap();
    let trace: Vec<u8> = (0..16)
        .map(|n| u8::from_str_radix(&TRACE[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    let exported = |(path, body): &(String, Vec<u8>)| {
        path == "/v1/traces" && contains(body, &trace) && contains(body, b"crm-service")
    };
    assert!(
        received.iter().any(exported),
        "{} requests came",
        received.len()
    );
}
