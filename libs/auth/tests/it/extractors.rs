//! What a handler's signature lets in.

use axum::{Router, body::Body, extract::FromRequestParts, routing::get};
use bz_auth::{Caller, Can, Claims, Entrant, Service, Verifier};
use bz_kernel::UserId;
use chrono::TimeDelta;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

use crate::support::{ISSUER, Server, clock, jwks, key, start, token, user_claims};

bz_auth::permissions! {
    ThingsRead = "things:read",
    ThingsWrite = "things:write",
    ThingsManage = "things:manage",
    EventsRead = "events:read",
}

fn app(verifier: Verifier) -> Router {
    let me = |caller: Caller| async move {
        assert_eq!(caller.scope.user(), Some(caller.user));
        format!(
            "{} {} {}",
            caller.tenant(),
            caller.user,
            caller.session.unwrap()
        )
    };
    Router::new()
        .route("/me", get(me))
        .route("/read", get(|_: Can<ThingsRead>| async {}))
        .route("/enter", get(|_: Entrant| async {}))
        .route(
            "/strong",
            get(|caller: Caller| async move { caller.require_second_factor() }),
        )
        .route(
            "/write",
            get(|caller: Can<ThingsWrite>| async move { caller.user.to_string() }),
        )
        .route("/manage", get(|_: Can<ThingsManage>| async {}))
        .route(
            "/feed",
            get(|service: Service<EventsRead>| async move { service.0.client }),
        )
        .with_state(verifier)
}

fn local() -> Verifier {
    let verifier = Verifier::local(ISSUER.into(), clock().0);
    verifier.install(&jwks(&[&key(1)]));
    verifier
}

fn service_claims(scope: &str) -> Claims {
    Claims::of_service(
        ISSUER,
        "analytics",
        scope,
        Uuid::nil(),
        start(),
        TimeDelta::minutes(10),
    )
}

struct Answer {
    status: StatusCode,
    challenge: Option<String>,
    body: String,
}

impl Answer {
    fn code(&self) -> Value {
        serde_json::from_str::<Value>(&self.body).unwrap()["code"].clone()
    }
}

async fn call(verifier: Verifier, path: &str, authorization: &[&str]) -> Answer {
    let request = authorization
        .iter()
        .fold(Request::get(path), |request, value| {
            request.header(header::AUTHORIZATION, *value)
        });
    let response = app(verifier)
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status();
    let challenge = response
        .headers()
        .get(header::WWW_AUTHENTICATE)
        .map(|value| value.to_str().unwrap().into());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer {
        status,
        challenge,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

async fn call_as(claims: &Claims, path: &str) -> Answer {
    call(
        local(),
        path,
        &[&format!("Bearer {}", token(&key(1), claims))],
    )
    .await
}

#[tokio::test]
async fn tenant_user_and_session_are_those_of_the_token() {
    let answer = call_as(&user_claims(&[]), "/me").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let expected = [1, 7, 9].map(|n| Uuid::from_u128(n).to_string()).join(" ");
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn without_a_token_the_answer_is_401_and_says_which_scheme() {
    for authorization in [&[][..], &["Basic YTpi"], &["Bearer"], &["Token x"], &[""]] {
        let answer = call(local(), "/me", authorization).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::UNAUTHORIZED, "unauthenticated".into())
        );
        assert_eq!(
            answer.challenge.as_deref(),
            Some("Bearer"),
            "{authorization:?}"
        );
    }
}

#[tokio::test]
async fn with_a_bad_token_the_answer_is_401_invalid_token_and_does_not_say_why() {
    let good = token(&key(1), &user_claims(&["owner"]));
    let two = [format!("Bearer {good}"), format!("Bearer {good}")];
    let two: Vec<&str> = two.iter().map(String::as_str).collect();
    let foreign = format!("Bearer {}", token(&key(2), &user_claims(&["owner"])));
    for authorization in [
        &["Bearer x"][..],
        &["Bearer "],
        &[foreign.as_str()],
        &["Bearer a.b.c d"],
        &two,
    ] {
        let answer = call(local(), "/me", authorization).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            answer.challenge.as_deref(),
            Some(r#"Bearer error="invalid_token""#),
            "{authorization:?}"
        );
        assert!(!answer.body.contains("key"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case() {
    let good = token(&key(1), &user_claims(&["owner"]));
    for scheme in ["bearer", "BEARER", "Bearer "] {
        assert_eq!(
            call(local(), "/me", &[&format!("{scheme} {good}")])
                .await
                .status,
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn a_permission_is_needed_where_the_signature_names_one() {
    for (role, path, allowed) in [
        ("owner", "/manage", true),
        ("admin", "/manage", true),
        ("member", "/manage", false),
        ("member", "/write", true),
        ("viewer", "/write", false),
        ("viewer", "/read", true),
        ("nobody", "/read", false),
    ] {
        let answer = call_as(&user_claims(&[role]), path).await;
        if allowed {
            assert_eq!(answer.status, StatusCode::OK, "{role} {path}");
        } else {
            assert_eq!(
                (answer.status, answer.code()),
                (StatusCode::FORBIDDEN, "forbidden".into()),
                "{role} {path}"
            );
            let name = format!("things:{}", &path[1..]);
            assert!(answer.body.contains(&name) && answer.challenge.unwrap().contains(&name));
        }
    }
}

#[tokio::test]
async fn a_role_of_the_tenants_own_gives_what_its_permissions_name() {
    for (entitlement, path, allowed) in [
        ("things:manage", "/manage", true),
        ("things:manage", "/write", false),
        ("things:*", "/write", true),
        ("*:read", "/read", true),
        ("*:read", "/write", false),
        ("others:write", "/write", false),
    ] {
        let mut claims = user_claims(&["things-keeper"]);
        claims.entitlements = vec![entitlement.into()];
        let expected = if allowed {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(
            call_as(&claims, path).await.status,
            expected,
            "{entitlement} {path}"
        );
    }
}

#[tokio::test]
async fn nobody_administers_in_somebody_elses_name() {
    let mut claims = user_claims(&["owner"]);
    claims.act = Some(bz_auth::claims::Actor {
        sub: UserId::from_uuid(Uuid::from_u128(8)),
    });
    for path in ["/me", "/read", "/write"] {
        assert_eq!(call_as(&claims, path).await.status, StatusCode::OK);
    }
    let answer = call_as(&claims, "/manage").await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::FORBIDDEN, "impersonation_forbidden".into())
    );
}

#[tokio::test]
async fn a_service_is_let_in_by_its_scope_and_users_are_not() {
    let answer = call_as(&service_claims("other events:read"), "/feed").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, "analytics")
    );
    for scope in ["", "events", "events:readx", "events:write"] {
        assert_eq!(
            call_as(&service_claims(scope), "/feed").await.status,
            StatusCode::FORBIDDEN,
            "{scope}"
        );
    }
    let mut owner = user_claims(&["owner"]);
    owner.scope = "events:read".into();
    assert_eq!(call_as(&owner, "/feed").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_services_token_works_in_no_tenant() {
    for path in ["/me", "/read", "/manage"] {
        let mut claims = service_claims("things:read things:manage");
        claims.roles = vec!["owner".into()];
        assert_eq!(
            call_as(&claims, path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test is its own client")]
async fn without_keys_the_answer_is_503_because_the_token_may_be_good() {
    let server = Server::start(None).await;
    let verifier = Verifier::remote(
        server.url("/jwks"),
        ISSUER.into(),
        clock().0,
        reqwest::Client::new(),
    );
    let good = format!("Bearer {}", token(&key(1), &user_claims(&["owner"])));
    let answer = call(verifier, "/me", &[&good]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable".into())
    );
}

#[tokio::test]
async fn a_caller_does_not_print_its_token() {
    let good = token(&key(1), &user_claims(&["owner"]));
    let request = Request::get("/")
        .header(header::AUTHORIZATION, format!("Bearer {good}"))
        .body(());
    let caller = Caller::from_request_parts(&mut request.unwrap().into_parts().0, &local())
        .await
        .unwrap();
    assert!(!format!("{caller:?}").contains(&good[good.len() - 20..]));
    assert_eq!(bz_kernel::ExposeSecret::expose_secret(caller.token()), good);
}

#[tokio::test]
async fn an_applications_token_is_good_where_a_permission_is_named_only() {
    let mut claims = user_claims(&["member"]);
    claims.scope = "things:read".to_owned();
    assert!(claims.is_delegated());
    assert_eq!(call_as(&claims, "/read").await.status, StatusCode::OK);
    let account = call_as(&claims, "/me").await;
    assert_eq!(
        (account.status, account.code()),
        (StatusCode::FORBIDDEN, "forbidden".into())
    );
    assert!(!user_claims(&["member"]).is_delegated());
    assert!(!service_claims("events:read").is_delegated());
}

#[tokio::test]
async fn a_session_that_owes_a_second_factor_enters_and_does_nothing_else() {
    let owing = user_claims(&["owner"]).owing_second_factor();
    assert!(owing.roles.is_empty(), "a service that is older obeys too");
    for path in ["/me", "/read", "/manage", "/strong"] {
        let answer = call_as(&owing, path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::FORBIDDEN, "step_up_required".into()),
            "{path}"
        );
    }
    assert_eq!(call_as(&owing, "/enter").await.status, StatusCode::OK);
    let mut application = owing;
    application.scope = "things:read".to_owned();
    let refused = call_as(&application, "/enter").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_operation_can_ask_for_a_second_factor() {
    let mut claims = user_claims(&["owner"]);
    claims.acr = Some("aal1".to_owned());
    let refused = call_as(&claims, "/strong").await;
    assert_eq!(
        (refused.status, refused.code(), refused.challenge.as_deref()),
        (
            StatusCode::FORBIDDEN,
            "step_up_required".into(),
            Some(r#"Bearer error="insufficient_user_authentication", acr_values="aal2""#)
        )
    );
    claims.acr = Some("aal2".to_owned());
    assert_eq!(call_as(&claims, "/strong").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_verifier_accepts_its_own_audience_only() {
    let verifier = Verifier::local_for("https://other.test".into(), ISSUER.into(), clock().0);
    verifier.install(&jwks(&[&key(1)]));
    let mut claims = user_claims(&[]);
    assert!(verifier.verify(&token(&key(1), &claims)).await.is_err());
    claims.aud.push("https://other.test".to_owned());
    assert!(verifier.verify(&token(&key(1), &claims)).await.is_ok());
    assert!(local().verify(&token(&key(1), &claims)).await.is_ok());
}
