use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::leads::LeadStatus;

fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

/// A lead as a client would read it, of which little is known.
fn lead() -> Lead {
    serde_json::from_value(serde_json::json!({
        "id": Uuid::from_u128(1), "first_name": "Ada", "utm": {}, "consent": {}, "status": "new", "tags": [],
        "custom": {}, "created_by": Uuid::from_u128(2), "created_at": now(), "updated_at": now(), "version": 1
    }))
    .unwrap()
}

fn strong() -> Lead {
    Lead {
        email: Some("ada@engines.example".into()),
        phone: Some("+44 20 7946 0000".into()),
        company_name: Some("Engines Ltd".into()),
        title: Some("Chief Engineer".into()),
        source: Some("Referral".into()),
        employees: Some(80),
        ..lead()
    }
}

#[test]
fn contributions_and_base_add_up_to_the_log_odds_of_the_probability() {
    for lead in [lead(), strong()] {
        let score = score(&lead, now());
        let sum = score.base.log_odds
            + score
                .factors
                .iter()
                .map(|factor| factor.contribution)
                .sum::<f64>();
        let logit = (score.probability / (1.0 - score.probability)).ln();
        assert!((sum - logit).abs() < 1e-9, "{sum} against {logit}");
    }
}

#[test]
fn a_referred_chief_scores_above_a_bare_name_and_says_why() {
    let (weak, strong) = (score(&lead(), now()), score(&strong(), now()));
    assert!(
        strong.score > weak.score + 30,
        "{} against {}",
        strong.score,
        weak.score
    );
    assert_eq!((strong.grade, weak.grade), (Grade::A, Grade::D));
    assert_eq!(strong.factors[0].feature, "source");
    assert_eq!(strong.factors[0].direction, Direction::Positive);
    assert!(strong.factors[0].points > 0);
}

#[test]
fn factors_come_strongest_first_and_none_is_empty() {
    let score = score(&strong(), now());
    assert!(
        score
            .factors
            .windows(2)
            .all(|pair| pair[0].contribution.abs() >= pair[1].contribution.abs())
    );
    assert!(
        score
            .factors
            .iter()
            .all(|factor| factor.contribution != 0.0)
    );
}

#[test]
fn a_lead_that_nobody_touched_for_long_scores_lower() {
    let old = Lead {
        updated_at: now() - TimeDelta::days(120),
        ..strong()
    };
    assert!(score(&old, now()).score < score(&strong(), now()).score);
}

#[test]
fn words_match_whole_and_not_inside_other_words() {
    let internal = Lead {
        title: Some("Internal auditor".into()),
        ..lead()
    };
    assert!(
        score(&internal, now())
            .factors
            .iter()
            .all(|factor| factor.feature != "title")
    );
}

#[test]
fn an_unqualified_lead_is_a_d_whatever_else_it_has() {
    let lost = Lead {
        status: LeadStatus::Unqualified,
        ..strong()
    };
    assert_eq!(score(&lost, now()).grade, Grade::D);
}
