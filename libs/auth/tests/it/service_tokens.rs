//! How a service comes by its own token.

use bz_auth::{ServiceTokenError, ServiceTokens, service_client_secret};
use bz_kernel::{ExposeSecret, FixedClock, PlatformSecret};
use chrono::TimeDelta;

use crate::support::{Server, clock};

fn secret() -> PlatformSecret {
    PlatformSecret::new("s".repeat(32).into()).unwrap()
}

fn answer(token: &str) -> Option<String> {
    Some(format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":600}}"#
    ))
}

#[expect(clippy::disallowed_methods, reason = "the test is its own client")]
async fn tokens(server: &Server) -> (ServiceTokens, FixedClock) {
    let (clock, hand) = clock();
    let tokens = ServiceTokens::new(
        &server.url("/"),
        reqwest::Client::new(),
        "analytics",
        &secret(),
        clock,
    );
    (tokens, hand)
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_a_minute_before_it_ends() {
    let server = Server::start(answer("first")).await;
    let (tokens, hand) = tokens(&server).await;
    let calls = (0..20).map(|_| {
        let tokens = tokens.clone();
        tokio::spawn(async move { tokens.get().await.unwrap().expose_secret().to_owned() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), "first");
    }
    server.set(answer("second"));
    hand.advance(TimeDelta::seconds(539));
    assert_eq!(tokens.get().await.unwrap().expose_secret(), "first");
    assert_eq!(server.count(), 1);
    hand.advance(TimeDelta::seconds(1));
    assert_eq!(tokens.get().await.unwrap().expose_secret(), "second");
    assert_eq!(server.count(), 2);
    tokens.forget();
    server.set(answer("third"));
    assert_eq!(tokens.get().await.unwrap().expose_secret(), "third");
}

#[tokio::test]
async fn the_request_is_a_client_credentials_grant_with_the_derived_secret() {
    let server = Server::start(answer("t")).await;
    let (tokens, _) = tokens(&server).await;
    tokens.get().await.unwrap();
    let request = server.last_request();
    assert!(
        request.starts_with("POST /oauth2/token HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request
            .to_lowercase()
            .contains("content-type: application/x-www-form-urlencoded")
    );
    let secret = service_client_secret(&secret(), "analytics");
    let form = format!(
        "grant_type=client_credentials&client_id=analytics&client_secret={}&scope=events%3Aread",
        secret.expose_secret()
    );
    assert!(request.ends_with(&form), "{request}");
    assert_eq!(secret.expose_secret().len(), 64);
    assert_ne!(
        secret.expose_secret(),
        service_client_secret(&self::secret(), "crm").expose_secret()
    );
}

#[tokio::test]
async fn while_identity_is_down_it_is_asked_once_a_second() {
    let server = Server::start(None).await;
    let (tokens, hand) = tokens(&server).await;
    assert!(matches!(
        tokens.get().await,
        Err(ServiceTokenError::Request(_))
    ));
    for _ in 0..50 {
        assert!(matches!(
            tokens.get().await,
            Err(ServiceTokenError::TriedJustNow)
        ));
    }
    assert_eq!(server.count(), 1);
    server.set(answer("back"));
    hand.advance(TimeDelta::seconds(1));
    assert_eq!(tokens.get().await.unwrap().expose_secret(), "back");
}
