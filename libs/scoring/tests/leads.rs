//! Made leads: what the crate promises whatever the fields are.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use bz_scoring::{
    BadModel, Dataset, DatasetBuilder, DriftStatus, Kind, Mode, Model, Options, Reasons, Rng, Row,
    Value, fit, logit, train,
};

const DAY: i64 = 86_400;

/// One lead a day; the channel, the size and the tags say something, the noise nothing.
fn lead(rng: &mut Rng) -> (Row<'static>, bool) {
    let channel = ["fair", "web", "call"][rng.below(3)];
    let size = rng.below(1_000) as f64;
    let hot = rng.happens(0.3);
    let tags = if hot {
        vec!["hot".into(), "eu".into()]
    } else {
        vec!["eu".into()]
    };
    let z = if channel == "fair" { 1.0 } else { -1.0 } + size / 500.0 - 1.0
        + if hot { 1.0 } else { 0.0 };
    let row = Row::new()
        .with("channel", channel)
        .with(
            "size",
            if rng.happens(0.1) {
                Value::Missing
            } else {
                size.into()
            },
        )
        .with("labels", Value::Tags(tags))
        .with("called", rng.happens(0.5))
        .with("birthday_year", 1_950.0 + rng.below(50) as f64)
        .with("number", format!("L-{}", rng.next()));
    (row, rng.happens(bz_scoring::logistic(z)))
}

fn leads(rows: usize, seed: u64) -> Dataset {
    let mut rng = Rng::new(seed);
    let mut builder = DatasetBuilder::new();
    for day in 0..rows {
        let (row, won) = lead(&mut rng);
        builder.push(&row, won, day as i64 * DAY);
    }
    builder.finish()
}

fn models(rows: usize) -> Vec<Model> {
    let data = leads(rows, 1);
    [Mode::Logistic, Mode::Gbdt]
        .into_iter()
        .map(|mode| fit(&data, mode, &Options::default()).unwrap())
        .collect()
}

#[test]
fn types_are_found_in_the_values() {
    let mut builder = DatasetBuilder::new().declare("code", Kind::Category);
    builder.push(
        &Row::new()
            .with("a", 1.0)
            .with("b", "x")
            .with("c", true)
            .with("code", 7.0)
            .with("n", "4"),
        true,
        0,
    );
    builder.push(
        &Row::new()
            .with("a", "two")
            .with("b", 3.0)
            .with("c", 5.0)
            .with("code", 8.0)
            .with("n", " 5.5 "),
        false,
        0,
    );
    let data = builder.finish();
    let mut kinds: Vec<(&str, Kind)> = data.fields().collect();
    kinds.sort_by_key(|(name, _)| name.to_owned());
    assert_eq!(
        kinds,
        [
            ("a", Kind::Category),
            ("b", Kind::Category),
            ("c", Kind::Number),
            ("code", Kind::Category),
            ("n", Kind::Number)
        ]
    );
}

#[test]
fn reasons_and_base_add_up_to_the_log_odds_of_the_probability() {
    for model in models(3_000) {
        let mut rng = Rng::new(9);
        for _ in 0..200 {
            let (row, _) = lead(&mut rng);
            for reasons in [Reasons::Path, Reasons::Exact] {
                let scored = model.explain(&row, reasons);
                let sum = scored.base
                    + scored
                        .contributions
                        .iter()
                        .map(|reason| reason.log_odds)
                        .sum::<f64>();
                assert!((sum - logit(scored.probability)).abs() < 1e-6);
                assert!((scored.probability - model.probability(&row)).abs() < 1e-6);
                assert!(
                    scored.interval.0 <= scored.probability
                        && scored.probability <= scored.interval.1
                );
            }
        }
    }
}

#[test]
fn a_model_in_a_file_is_the_trained_model_and_the_same_training_gives_the_same_bytes() {
    for (first, second) in models(3_000).into_iter().zip(models(3_000)) {
        let bytes = first.to_bytes().unwrap();
        assert_eq!(bytes, second.to_bytes().unwrap());
        let read = Model::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes().unwrap(), bytes);
        let (row, _) = lead(&mut Rng::new(4));
        assert_eq!(read.score(&row), first.score(&row));
    }
}

#[test]
fn a_file_of_another_format_and_a_file_of_something_else_are_not_read() {
    assert!(matches!(
        Model::from_bytes(br#"{"format":99}"#),
        Err(BadModel::Format { found: 99 })
    ));
    assert!(matches!(
        Model::from_bytes(b"[]"),
        Err(BadModel::Malformed(_))
    ));
}

#[test]
fn unknown_words_gaps_and_unknown_fields_are_scored() {
    for model in models(3_000) {
        for row in [
            Row::new(),
            Row::new()
                .with("channel", "never seen")
                .with("size", f64::INFINITY)
                .with("labels", "hot"),
            Row::new()
                .with("size", "a lot")
                .with("channel", 5.0)
                .with("labels", true)
                .with("other", 1.0),
            Row::new().with("size", 1e300),
        ] {
            let scored = model.score(&row);
            assert!(
                scored.probability > 0.0 && scored.probability < 1.0,
                "{row:?}"
            );
        }
    }
}

#[test]
fn what_if_moves_the_score_as_the_field_should() {
    for model in models(3_000) {
        let row = Row::new().with("channel", "web").with("size", 500.0);
        let mut better = row.clone();
        better.set("channel", "fair");
        assert!(model.probability(&better) > model.probability(&row) + 0.1);
        let reasons = model.score(&better).contributions;
        assert_eq!(reasons[0].field, "channel");
        assert!(reasons[0].log_odds > 0.0);
    }
}

#[test]
fn training_chooses_a_model_and_says_why_and_protected_fields_do_not_enter() {
    let trained = train(leads(600, 2), &Options::default());
    assert_eq!(
        trained.report.mode,
        Mode::Logistic,
        "{}",
        trained.report.mode_reason
    );
    assert_eq!(
        trained.report.mode_reason,
        "600 labelled leads; too few for boosting to be tried"
    );
    let fields: Vec<&str> = trained
        .report
        .features
        .iter()
        .map(|feature| feature.field.as_str())
        .collect();
    assert!(
        !fields.contains(&"birthday_year") && !fields.contains(&"number"),
        "{fields:?}"
    );
    assert!(["channel", "size"].contains(&fields[0]), "{fields:?}");
    assert_eq!(
        trained.report.excluded[0].why,
        "seems to hold a protected attribute: age"
    );
    let metrics = trained.report.metrics.unwrap();
    assert!(metrics.log_loss < metrics.baseline_log_loss && trained.report.newest.is_some());
}

#[test]
fn a_tenant_can_let_a_protected_field_in_and_keep_another_field_out() {
    let options = Options {
        allow_protected: ["birthday_year".to_owned()].into(),
        exclude: ["channel".to_owned()].into(),
        ..Options::default()
    };
    let model = train(leads(600, 2), &options).model.unwrap();
    let fields: Vec<&str> = model
        .fields()
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert!(
        fields.contains(&"birthday_year") && !fields.contains(&"channel"),
        "{fields:?}"
    );
}

#[test]
fn outcomes_that_depend_on_nothing_leave_the_rules() {
    let mut rng = Rng::new(11);
    let mut builder = DatasetBuilder::new();
    for day in 0..400 {
        let (row, _) = lead(&mut rng);
        builder.push(&row, rng.happens(0.3), day * DAY);
    }
    let trained = train(builder.finish(), &Options::default());
    assert_eq!(trained.report.mode, Mode::Rules);
    assert!(
        trained.model.is_none()
            && trained
                .report
                .mode_reason
                .contains("not at least 1 % better")
    );
}

#[test]
fn too_few_leads_and_no_leads_leave_the_rules() {
    let few = train(leads(60, 1), &Options::default());
    assert!(few.model.is_none() && few.report.needs.labelled_more == 40);
    assert!(
        train(DatasetBuilder::new().finish(), &Options::default())
            .model
            .is_none()
    );
}

#[test]
fn another_base_rate_moves_the_odds_of_every_lead_by_the_same_factor() {
    for model in models(3_000) {
        let moved = model.clone().with_base_rate(0.05);
        assert!((moved.base_rate() - 0.05).abs() < 1e-9);
        let shift = |row: &Row<'_>| moved.score(row).log_odds - model.score(row).log_odds;
        let (one, _) = lead(&mut Rng::new(1));
        assert!((shift(&one) - shift(&Row::new())).abs() < 1e-9 && shift(&one) < -1.0);
    }
}

#[test]
fn drift_is_seen_when_leads_change_and_not_when_they_do_not() {
    let model = &models(3_000)[0];
    let same = model.drift(&leads(2_000, 77), true);
    assert_eq!(same.status, DriftStatus::Stable, "{same:?}");
    let mut rng = Rng::new(3);
    let mut builder = DatasetBuilder::new();
    for day in 0..500 {
        let (mut row, won) = lead(&mut rng);
        row.set("channel", "fair");
        builder.push(&row, won, day * DAY);
    }
    let changed = model.drift(&builder.finish(), false);
    assert!(changed.status == DriftStatus::Retrain && changed.base_rate_recent.is_none());
    assert!(
        changed
            .fields
            .iter()
            .any(|(field, psi)| field == "channel" && *psi > 0.25),
        "{changed:?}"
    );
}

#[test]
fn a_model_stored_by_an_earlier_version_answers_as_it_did() {
    let model = Model::from_bytes(include_bytes!("data/boosting-format-1.json")).unwrap();
    let asked = [
        (Some(3.0), Some("web"), 120.0, 0.242_274_635),
        (Some(25.0), Some("fair"), 400.0, 0.736_646_659),
        (None, Some("partner"), 260.0, 0.541_082_467),
        (Some(12.0), Some("billboard"), 500.0, 0.276_187_485),
        (Some(30.0), None, 1.0, 0.511_064_687),
    ];
    for (visits, source, size, probability) in asked {
        let row = Row::new()
            .with("visits", visits)
            .with("source", source)
            .with("size", size);
        let scored = model.score(&row);
        assert!(
            (scored.probability - probability).abs() < 1e-6,
            "{scored:?}"
        );
    }
}
