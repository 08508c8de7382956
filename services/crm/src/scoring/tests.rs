use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Grade, ScoreMode,
    answer::{Assessment, Direction},
    assess::Scorer,
    default_rules::default_rules,
    features::Plan,
    settings::{Settings, Setup},
    subject::Subject,
};

fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn setup() -> Setup {
    Setup {
        settings: Settings::default(),
        rules: Arc::new(default_rules()),
        rules_name: "rules-1".into(),
        plan: Arc::new(Plan::default()),
        active: None,
        drift: None,
        next_retrain_at: None,
        version: 0,
    }
}

fn lead(fields: Value) -> Subject {
    let Value::Object(fields) = fields else {
        panic!("an object")
    };
    Subject::imagined(fields, now())
}

fn weak() -> Subject {
    lead(json!({ "first_name": "Ada", "status": "new" }))
}

fn strong() -> Subject {
    lead(json!({
        "first_name": "Ada", "email": "ada@engines.example", "phone": "+44 20 7946 0000", "company_name": "Engines Ltd",
        "title": "Chief Engineer", "source": "Referral", "employees": 80, "status": "new"
    }))
}

fn with(mut lead: Subject, name: &str, value: Value) -> Subject {
    lead.fields.insert(name.to_owned(), value);
    lead
}

fn score(lead: &Subject) -> Assessment {
    score_of(lead, usize::MAX)
}

fn score_of(lead: &Subject, most: usize) -> Assessment {
    let setup = setup();
    let scorer = Scorer {
        setup: &setup,
        model: None,
        now: now(),
    };
    let full = scorer.assess(lead, most);
    assert_eq!(scorer.bare(lead).score, i16::from(full.score));
    full
}

#[test]
fn contributions_and_base_add_up_to_the_log_odds_of_the_probability() {
    for (lead, most) in [(weak(), 99), (strong(), 99), (strong(), 2)] {
        let score = score_of(&lead, most);
        let contributions = score.factors.iter().map(|factor| factor.contribution);
        let sum = score.base.log_odds + contributions.sum::<f64>() + score.other_contributions;
        let logit = (score.probability / (1.0 - score.probability)).ln();
        assert!((sum - logit).abs() < 1e-9, "{sum} against {logit}");
        assert!(score.sum_check && score.factors.len() <= most);
    }
}

#[test]
fn a_referred_chief_scores_above_a_bare_name_and_says_why() {
    let (weak, strong) = (score(&weak()), score(&strong()));
    assert!(
        strong.score > weak.score + 30,
        "{} against {}",
        strong.score,
        weak.score
    );
    assert_eq!((strong.grade, weak.grade), (Grade::A, Grade::D));
    assert_eq!(strong.mode, ScoreMode::Rules);
    assert_eq!(strong.factors[0].feature, "source");
    assert_eq!(strong.factors[0].direction, Direction::Positive);
    assert!(strong.factors[0].points > 0);
}

#[test]
fn factors_come_strongest_first_and_none_is_empty() {
    let factors = score(&strong()).factors;
    let sizes: Vec<f64> = factors
        .iter()
        .map(|factor| factor.contribution.abs())
        .collect();
    assert!(sizes.windows(2).all(|pair| pair[0] >= pair[1]));
    assert!(sizes.iter().all(|size| *size > 0.0));
}

#[test]
fn a_lead_that_nobody_touched_for_long_scores_lower() {
    let old = Subject {
        updated_at: now() - TimeDelta::days(120),
        ..strong()
    };
    assert!(score(&old).score < score(&strong()).score);
}

#[test]
fn words_match_whole_and_not_inside_other_words() {
    let internal = with(weak(), "title", json!("Internal auditor"));
    let factors = score(&internal).factors;
    assert!(factors.iter().all(|factor| factor.feature != "title"));
}

#[test]
fn an_unqualified_lead_is_a_d_whatever_else_it_has() {
    let lost = with(strong(), "status", json!("unqualified"));
    assert_eq!(score(&lost).grade, Grade::D);
}
