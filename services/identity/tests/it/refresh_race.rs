//! Many refreshes, logouts and thefts of one session at the same time.

use std::collections::HashSet;

use bz_testkit::Client;
use serde_json::{Value, json};
use sqlx::Row;

use crate::support::{IdentityApp, register, start};

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

#[tokio::test(flavor = "multi_thread")]
async fn once_a_logout_was_answered_no_refresh_succeeds() {
    let app = start().await;
    for round in 0..ROUNDS {
        let answer = register(&app, &format!("user{round}@example.com")).await;
        let token = answer["refresh_token"].clone();
        let racing: Vec<_> = (0..4)
            .map(|_| {
                let request = app
                    .anonymous
                    .post("/auth/refresh", json!({ "refresh_token": token }));
                tokio::spawn(async move { request.await.json()["refresh_token"].clone() })
            })
            .collect();
        app.anonymous
            .post("/auth/logout", json!({ "refresh_token": token }))
            .await
            .assert_status(204);
        let mut tokens = vec![token];
        for task in racing {
            tokens.push(task.await.unwrap());
        }
        for token in tokens.iter().filter(|token| token.is_string()) {
            let late = app
                .anonymous
                .post("/auth/refresh", json!({ "refresh_token": token }))
                .await;
            assert_eq!(late.status, 401, "round {round}: {}", late.describe());
        }
    }
}
