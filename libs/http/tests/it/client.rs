//! Calls to a sibling on a real socket, which is there, slow, broken or gone.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bz_http::client::{Sibling, SiblingError};
use bz_http::context::{self, RequestContext};
use bz_http::{Json, Problem};
use bz_kernel::{Clock, FixedClock, Rng, SecretString, Sources};
use bz_testkit::{Fault, FaultProxy};
use chrono::{DateTime, TimeDelta};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A sibling that answers what it is told to, and what it got.
#[derive(Clone, Default)]
struct Crm(Arc<Told>);

#[derive(Default)]
struct Told {
    calls: AtomicU32,
    /// The statuses of the next answers; 200 when there is none left.
    next: Mutex<Vec<u16>>,
    headers: Mutex<HeaderMap>,
}

impl Crm {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().fallback(answer).with_state(self.clone());
        #[expect(clippy::disallowed_methods, reason = "a server for tests only")]
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    fn will_answer(&self, statuses: &[u16]) {
        *self.0.next.lock().unwrap() = statuses.iter().rev().copied().collect();
    }

    /// How many calls came since this was last asked.
    fn calls(&self) -> u32 {
        self.0.calls.swap(0, SeqCst)
    }

    fn header(&self, name: &str) -> Option<String> {
        let headers = self.0.headers.lock().unwrap();
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    }
}

async fn answer(State(crm): State<Crm>, request: Request) -> Response {
    crm.0.calls.fetch_add(1, SeqCst);
    *crm.0.headers.lock().unwrap() = request.headers().clone();
    if request.uri().path() == "/hang" {
        std::future::pending::<()>().await;
    }
    let next = crm.0.next.lock().unwrap().pop();
    match next.unwrap_or(200) {
        200 => Json(json!({"path": request.uri().path()})).into_response(),
        204 => StatusCode::NO_CONTENT.into_response(),
        302 => (StatusCode::FOUND, [("location", "/elsewhere")]).into_response(),
        404 => Problem::not_found().into_response(),
        422 => Problem::invalid("/name", "blank", "must not be empty").into_response(),
        status => StatusCode::from_u16(status).unwrap().into_response(),
    }
}

/// A client of the sibling at `address`, and the hand of its clock.
fn sibling_at(address: SocketAddr) -> (Sibling, FixedClock) {
    let (clock, hand) = Clock::fixed(DateTime::from_timestamp(0, 0).unwrap());
    let rng = Rng::seeded(1);
    let base = format!("http://{address}/").parse().unwrap();
    (
        Sibling::new("crm", &base, &Sources { clock, rng }).unwrap(),
        hand,
    )
}

async fn started() -> (Crm, Sibling, FixedClock) {
    let crm = Crm::default();
    let (sibling, hand) = sibling_at(crm.start().await);
    (crm, sibling, hand)
}

fn is_unavailable(result: &Result<Value, SiblingError>) -> bool {
    matches!(result, Err(SiblingError::Unavailable { .. }))
}

#[tokio::test]
async fn a_call_brings_the_answer_and_takes_along_the_requests_id_trace_token_and_time() {
    let (crm, sibling, _) = started().await;
    let request = RequestContext {
        request_id: "r-1".to_owned(),
        path: "/api/chat".to_owned(),
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        deadline: (Instant::now() + Duration::from_millis(1500)).into(),
    };
    let call = sibling
        .get("/api/leads")
        .bearer(&SecretString::from("token"));
    let answer: Value = context::scope(request, call.send()).await.unwrap();
    assert_eq!(answer["path"], "/api/leads");
    assert_eq!(crm.header("x-request-id").as_deref(), Some("r-1"));
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(crm.header("traceparent").as_deref(), Some(trace));
    assert_eq!(crm.header("authorization").as_deref(), Some("Bearer token"));
    let left: u64 = crm
        .header("x-request-deadline-ms")
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=1500).contains(&left), "{left}");
}

#[tokio::test]
async fn a_refusal_keeps_its_status_its_code_and_its_faults() {
    let (crm, sibling, _) = started().await;
    crm.will_answer(&[404, 422, 429]);
    let refused = async || sibling.get("/x").send::<Value>().await.unwrap_err();
    assert!(matches!(
        refused().await,
        SiblingError::Refused { status: StatusCode::NOT_FOUND, code, .. } if code == "not_found"
    ));
    assert!(matches!(
        refused().await,
        SiblingError::Refused { errors, .. } if errors[0].pointer.as_deref() == Some("/name")
    ));
    let limited = refused().await;
    assert!(matches!(
        limited,
        SiblingError::Refused {
            status: StatusCode::TOO_MANY_REQUESTS,
            ..
        }
    ));
    assert_eq!(Problem::from(limited).status(), 503);
    assert_eq!(crm.calls(), 3, "nothing is asked again");
}

#[tokio::test]
async fn an_answer_without_a_body_is_fine_where_none_is_expected() {
    let (crm, sibling, _) = started().await;
    crm.will_answer(&[204, 204]);
    sibling.delete("/x").send_empty().await.unwrap();
    let malformed = sibling.get("/x").send::<Value>().await;
    assert!(matches!(malformed, Err(SiblingError::Malformed { .. })));
}

#[tokio::test]
async fn what_may_be_repeated_is_tried_three_times_and_nothing_else_is() {
    let (crm, sibling, _) = started().await;
    let busy = [503, 502];
    let body = json!({});
    let repeatable = [
        sibling.get("/x"),
        sibling.put("/x").json(&body),
        sibling.post("/x").json(&body).idempotency_key("k"),
    ];
    for call in repeatable {
        crm.will_answer(&busy);
        call.send::<Value>().await.unwrap();
        assert_eq!(crm.calls(), 3);
    }
    let once = [
        sibling.post("/x").json(&body),
        sibling.patch("/x").json(&body),
        sibling.put("/x").json(&body).if_match(3),
        sibling.delete("/x"),
    ];
    for call in once {
        crm.will_answer(&busy);
        assert!(is_unavailable(&call.send().await));
        assert_eq!(crm.calls(), 1);
        crm.will_answer(&[]);
        sibling.get("/x").send::<Value>().await.unwrap();
        crm.calls();
    }
}

#[tokio::test]
async fn a_request_that_breaks_the_sibling_is_not_repeated_and_does_not_keep_others_from_it() {
    let (crm, sibling, _) = started().await;
    crm.will_answer(&[500; 20]);
    for _ in 0..20 {
        assert!(is_unavailable(&sibling.get("/x").send().await));
    }
    assert_eq!(crm.calls(), 20);
    sibling.get("/x").send::<Value>().await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (crm, sibling, _) = started().await;
    crm.will_answer(&[302]);
    let refused = sibling.get("/x").send::<Value>().await.unwrap_err();
    assert!(matches!(
        refused,
        SiblingError::Refused {
            status: StatusCode::FOUND,
            ..
        }
    ));
    assert_eq!(crm.calls(), 1);
}

#[tokio::test]
async fn a_sibling_that_keeps_failing_is_left_alone_until_one_call_finds_it_well() {
    let (crm, sibling, hand) = started().await;
    crm.will_answer(&[503; 5]);
    for _ in 0..5 {
        assert!(is_unavailable(&sibling.post("/x").send().await));
    }
    assert_eq!(crm.calls(), 5);
    for _ in 0..10 {
        let refused = sibling.get("/x").send::<Value>().await;
        assert!(matches!(
            refused,
            Err(SiblingError::Unavailable { sent: false, .. })
        ));
    }
    assert_eq!(crm.calls(), 0, "it is left alone");
    crm.will_answer(&[503; 3]);
    assert!(is_unavailable(&sibling.get("/x").insisting().send().await));
    assert_eq!(crm.calls(), 3, "but for who insists");

    hand.advance(TimeDelta::seconds(10));
    crm.will_answer(&[503]);
    assert!(is_unavailable(&sibling.get("/x").send().await));
    assert_eq!(crm.calls(), 1, "one call looks, and closes the door again");

    hand.advance(TimeDelta::seconds(10));
    sibling.get("/x").send::<Value>().await.unwrap();
    sibling.get("/x").send::<Value>().await.unwrap();
}

#[tokio::test]
async fn a_sibling_that_is_gone_is_unavailable_and_nothing_was_sent() {
    let crm = Crm::default();
    let proxy = FaultProxy::start(crm.start().await.to_string()).await;
    let (sibling, hand) = sibling_at(proxy.address());
    proxy.set(Fault::Refuse).await;
    let gone = sibling.post("/x").send::<Value>().await.unwrap_err();
    assert!(matches!(
        gone,
        SiblingError::Unavailable {
            sent: false,
            source: Some(_),
            ..
        }
    ));
    let problem = Problem::from(gone);
    assert_eq!(
        (problem.status().as_u16(), problem.code()),
        (503, "unavailable")
    );

    proxy.set(Fault::Pass).await;
    hand.advance(TimeDelta::seconds(10));
    sibling.get("/x").send::<Value>().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let crm = Crm::default();
    let proxy = FaultProxy::start(crm.start().await.to_string()).await;
    let (sibling, _) = sibling_at(proxy.address());
    proxy.set(Fault::ResetAfter(20)).await;
    let broken = sibling.get("/x").send::<Value>().await.unwrap_err();
    assert!(matches!(
        broken,
        SiblingError::Unavailable { sent: true, .. }
    ));
    assert_eq!(crm.calls(), 3);
}

#[tokio::test]
async fn a_call_ends_with_the_request_it_is_made_for_and_a_hurry_is_not_held_against_the_sibling() {
    let (_crm, sibling, _) = started().await;
    for _ in 0..6 {
        let request = RequestContext {
            request_id: "r-1".to_owned(),
            path: "/".to_owned(),
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
            deadline: (Instant::now() + Duration::from_millis(10)).into(),
        };
        let begun = Instant::now();
        let late = context::scope(request, sibling.get("/hang").send::<Value>()).await;
        assert!(is_unavailable(&late));
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
    sibling.get("/x").send::<Value>().await.unwrap();
}
