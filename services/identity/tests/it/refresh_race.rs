//! Many refreshes, logouts and thefts of one session at the same time.

use std::{collections::HashSet, time::Duration};

use bz_auth::AuthError;
use bz_testkit::{Client, Role, wait_until};
use serde_json::{Value, json};
use sqlx::Row;

use crate::{
    refresh_flood::session,
    support::{IdentityApp, refresh, register, start},
};

const PARALLEL: usize = 50;
const ROUNDS: usize = 20;

async fn at_once(app: &IdentityApp, token: &Value) -> Vec<(u16, Value)> {
    let send = |client: Client, token: Value| {
        tokio::spawn(async move {
            let answer = client
                .post("/auth/refresh", json!({ "refresh_token": token }))
                .await;
            (
                answer.status.as_u16(),
                answer.json()["refresh_token"].clone(),
            )
        })
    };
    let tasks: Vec<_> = (0..PARALLEL)
        .map(|_| send(app.anonymous.clone(), token.clone()))
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// Pitfall 6: fifty parallel refreshes of one token, round after round.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_refreshes_at_once_have_one_successor_and_never_a_fork() {
    let app = start().await;
    let mut token = register(&app, "ada@example.com").await["refresh_token"].clone();
    for round in 0..ROUNDS {
        let answers = at_once(&app, &token).await;
        assert!(
            answers.iter().all(|(status, _)| *status == 200),
            "round {round}: {answers:?}"
        );
        let successors: HashSet<String> =
            answers.iter().map(|(_, token)| token.to_string()).collect();
        assert_eq!(successors.len(), 1, "round {round}");
        token = answers[0].1.clone();
    }
    let rows = sqlx::query(
        "SELECT generation, used_at IS NOT NULL AS used FROM identity.refresh_tokens ORDER BY 1",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    let unused: Vec<i32> = rows
        .iter()
        .filter(|row| !row.get::<bool, _>("used"))
        .map(|row| row.get("generation"))
        .collect();
    assert_eq!(
        (rows.len(), unused),
        (ROUNDS + 1, vec![i32::try_from(ROUNDS).unwrap() + 1])
    );
}

/// Pitfall 8: refreshes and a logout of one session at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn once_a_logout_was_answered_no_token_of_the_session_is_worth_anything() {
    let mut app = start().await;
    let mut access_tokens = Vec::new();
    for round in 0..5 * ROUNDS {
        let (_, token) = session(&app, Role::ALL[round % 4]).await;
        let ask = |path: &str| app.anonymous.post(path, json!({ "refresh_token": token }));
        let racing: Vec<_> = (0..2)
            .map(|_| tokio::spawn(ask("/auth/refresh").into_future()))
            .collect();
        let logout = ask("/auth/logout").await;
        logout.assert_status(204);
        let mut tokens = vec![json!(token)];
        for task in racing {
            let answer = task.await.unwrap().json();
            tokens.push(answer["refresh_token"].clone());
            access_tokens.extend(answer["access_token"].as_str().map(str::to_owned));
        }
        for token in tokens.iter().filter(|token| token.is_string()) {
            let late = refresh(&app, token).await;
            assert_eq!(late.status, 401, "round {round}: {}", late.describe());
        }
    }
    println!("{} of the refreshes came first", access_tokens.len());
    app.start_jobs();
    let verifier = app.core.verifier.clone();
    for token in &access_tokens {
        let refused = async || verifier.verify(token).await == Err(AuthError::Revoked);
        wait_until(refused, Duration::from_secs(20)).await;
    }
}
