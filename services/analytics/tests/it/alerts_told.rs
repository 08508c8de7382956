//! Alerts from events that are sent to who is told: judged by the job, delivered by webhook and mail.

use std::{path::PathBuf, time::Duration};

use analytics::Analytics;
use bz_testkit::{NOW, Receiver, Role, Tenant, TestApp, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    analytics_webhooks::hook,
    support::{event, send},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A service that may call this machine, and writes its mails into a folder.
struct Told {
    app: TestApp<Analytics>,
    receiver: Receiver,
    foreign: Receiver,
    mails: PathBuf,
}

impl Told {
    async fn start(name: &str) -> Self {
        let mails = std::env::temp_dir().join(format!("alerts-{name}-{}", std::process::id()));
        let _none = std::fs::remove_dir_all(&mails);
        let app = TestApp::<Analytics>::builder()
            .env("EGRESS_ALLOW", "127.0.0.1")
            .env("MAIL_URL", format!("file://{}", mails.display()))
            .start()
            .await;
        let (receiver, foreign) = (
            Receiver::answering(200).await,
            Receiver::answering(200).await,
        );
        hook(&app.acme.owner, &receiver.url, &["alert.*"]).await;
        hook(&app.globex.owner, &foreign.url, &["*"]).await;
        Self {
            app,
            receiver,
            foreign,
            mails,
        }
    }

    /// Watches page views by the hour; answers where the alert is.
    async fn alert(&self, rule: Value) -> String {
        let alert = json!({
            "name": "Visits", "definition": {
                "metric": "events.page_views", "granularity": "hour", "timezone": "UTC", "rule": rule,
                "cooldown_minutes": 0, "mail": ["ada@engines.example"]
            }
        });
        let made = self.app.acme.member.post("/api/alerts", alert).await;
        let made = made.assert_status(201).json();
        format!("/api/alerts/{}", made["id"].as_str().unwrap())
    }

    /// Page views at an instant, none of which was sent before.
    async fn viewed(&self, first: usize, count: usize, at: chrono::DateTime<chrono::Utc>) {
        let views: Vec<Value> = (first..first + count)
            .map(|n| event(n, "page_view", &at.to_rfc3339()))
            .collect();
        send(&self.app.acme.member, &views).await;
    }

    /// Lets the job look at what is over at `hours` after [`NOW`]; answers the alert, which has judged the hour that it has to.
    async fn looked(&mut self, alert: &str, hours: i64, bucket: &str) -> Value {
        let at = NOW + TimeDelta::hours(hours);
        let now = self.app.core.sources.now();
        self.app.clock.advance(at - now);
        self.app.start_jobs();
        // The token of the hour before has ended.
        let token = self.app.tokens.user(Tenant::Acme, Role::Viewer);
        let viewer = self.app.acme.viewer.with_token(token);
        let judged = async || {
            let alert = viewer.get(alert).await.assert_status(200).json();
            alert["last_bucket"]
                .as_str()
                .is_some_and(|last| last.starts_with(bucket))
        };
        wait_until(judged, PATIENCE).await;
        viewer.get(alert).await.json()
    }

    /// What the webhook was told once it was told so much, as type, hour and value.
    async fn told(&self, count: usize) -> Vec<(String, String, String)> {
        wait_until(async || self.receiver.messages().len() >= count, PATIENCE).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let messages = self.receiver.messages().into_iter().map(|message| {
            let told = message.json();
            let hour = text(&told["data"]["bucket"]);
            (
                text(&told["type"]),
                hour[..13].to_owned(),
                text(&told["data"]["value"]),
            )
        });
        messages.collect()
    }

    /// The subjects of the mails once there are so many.
    async fn subjects(&self, count: usize) -> Vec<String> {
        let files = || std::fs::read_dir(&self.mails).map_or(0, Iterator::count);
        wait_until(async || files() >= count, PATIENCE).await;
        let mut subjects: Vec<String> = std::fs::read_dir(&self.mails)
            .unwrap()
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .inspect(|mail| assert!(mail.contains("To: ada@engines.example"), "{mail}"))
            .filter_map(|mail| {
                let subject = mail
                    .lines()
                    .find_map(|line| line.strip_prefix("Subject: "))?;
                Some(subject.trim().to_owned())
            })
            .collect();
        subjects.sort();
        subjects
    }

    async fn end(mut self) {
        self.app.stop_jobs().await;
        assert!(self.foreign.messages().is_empty());
        std::fs::remove_dir_all(&self.mails).unwrap();
    }
}

fn told(kind: &str, hour: &str, value: &str) -> (String, String, String) {
    (kind.to_owned(), hour.to_owned(), value.to_owned())
}

#[tokio::test]
async fn who_is_told_that_a_threshold_is_broken_is_told_once_and_then_that_it_is_not() {
    let mut it = Told::start("threshold").await;
    let alert = it.alert(json!({ "above": { "than": "5" } })).await;
    // Between 7 and 8, and between 8 and 9, there were more than five; between 9 and 10 there was one.
    it.viewed(0, 8, NOW - TimeDelta::minutes(110)).await;
    it.viewed(10, 9, NOW - TimeDelta::minutes(50)).await;
    it.viewed(20, 1, NOW + TimeDelta::minutes(10)).await;

    let seen = it.looked(&alert, 0, "2026-03-02T07").await;
    assert_eq!(
        (&seen["state"], &seen["last_finding"]["high"]),
        (&json!("firing"), &json!("5"))
    );
    let first = told("alert.firing", "2026-03-02T07", "8");
    assert_eq!(it.told(1).await, std::slice::from_ref(&first));
    assert_eq!(it.subjects(1).await, ["Alert: Visits"]);
    let data = &it.receiver.messages()[0].json()["data"];
    assert_eq!(
        (data["alert_id"].as_str(), data["metric"].as_str()),
        (alert.rsplit('/').next(), Some("events.page_views"))
    );

    // It stays broken, and nobody is told again.
    let seen = it.looked(&alert, 1, "2026-03-02T08").await;
    assert_eq!(
        (&seen["state"], &seen["streak"]),
        (&json!("firing"), &json!(2))
    );
    let seen = it.looked(&alert, 2, "2026-03-02T09").await;
    assert_eq!(seen["state"], "resolved");
    let second = told("alert.resolved", "2026-03-02T09", "1");
    assert_eq!(it.told(2).await, [first.clone(), second.clone()]);
    assert_eq!(it.subjects(2).await, ["Alert: Visits", "Resolved: Visits"]);

    // And it is over.
    let seen = it.looked(&alert, 3, "2026-03-02T10").await;
    assert_eq!(seen["state"], "ok");
    assert_eq!(it.told(2).await, [first, second]);
    assert_eq!(it.subjects(2).await.len(), 2);
    it.end().await;
}

#[tokio::test]
async fn what_is_usual_is_told_from_what_is_not_by_the_same_hour_of_the_weeks_before() {
    let mut it = Told::start("band").await;
    let rule = json!({ "band": { "sensitivity": "3" } });
    let alert = it.alert(rule).await;
    // On Mondays there are about ten views between 7 and 8, and a hundred between 8 and 9.
    let (seven, eight) = (NOW - TimeDelta::minutes(110), NOW - TimeDelta::minutes(50));
    for (week, (quiet, busy)) in (1..).zip([
        (10, 100),
        (11, 101),
        (9, 99),
        (10, 100),
        (12, 103),
        (10, 100),
    ]) {
        let ago = TimeDelta::weeks(week);
        let first = usize::try_from(week).unwrap() * 1_000;
        it.viewed(first, quiet, seven - ago).await;
        it.viewed(first + 500, busy, eight - ago).await;
    }
    // Today there are forty at seven, which would be too few an hour later, and as many as ever at eight.
    it.viewed(0, 40, seven).await;
    it.viewed(100, 102, eight).await;

    let seen = it.looked(&alert, 0, "2026-03-02T07").await;
    assert_eq!(seen["state"], "firing", "{seen}");
    let bounds = ["low", "high"].map(|side| {
        let bound = seen["last_finding"][side].as_str().unwrap();
        bound.parse::<f64>().unwrap()
    });
    // Median 10, median distance 0.5: 10 ± 3 · 1.4826 · 0.5.
    assert_eq!(bounds, [7.7761, 12.2239]);
    let first = told("alert.firing", "2026-03-02T07", "40");
    assert_eq!(it.told(1).await, std::slice::from_ref(&first));

    let seen = it.looked(&alert, 1, "2026-03-02T08").await;
    assert_eq!(seen["state"], "resolved", "{seen}");
    let second = told("alert.resolved", "2026-03-02T08", "102");
    assert_eq!(it.told(2).await, [first, second]);
    assert_eq!(it.subjects(2).await, ["Alert: Visits", "Resolved: Visits"]);
    it.end().await;
}
