use bz_http::{Errors, FieldError, Validate};

use super::*;
use crate::{
    catalogue::Catalogue,
    dashboards::{TileQuery, WantedDashboard},
};

#[test]
fn every_template_is_a_valid_dashboard_of_metrics_that_the_catalogue_has() {
    for template in all().unwrap() {
        let dashboard = WantedDashboard {
            name: template.title.clone(),
            description: template.description.clone(),
            view: template.view.clone(),
            tiles: template.tiles.clone(),
        };
        let mut errors = Errors::default();
        dashboard.validate(&mut errors);
        let faults: Vec<FieldError> = errors.into();
        assert!(faults.is_empty(), "{}: {faults:?}", template.slug);
    }
}

#[test]
fn the_groups_of_every_template_are_in_the_catalogue() {
    let catalogue = Catalogue::builtin();
    for template in all().unwrap() {
        let groups = &template.metrics;
        for group in [&groups.conversion, &groups.engagement, &groups.visibility] {
            assert!(!group.is_empty(), "{}", template.slug);
            let unknown: Vec<_> = group
                .iter()
                .filter(|key| catalogue.metric(key).is_none())
                .collect();
            assert!(unknown.is_empty(), "{}: {unknown:?}", template.slug);
        }
        let groups = &template.dimensions;
        for name in groups.campaign.iter().chain(&groups.audience) {
            let mut known = catalogue.datasets().iter();
            assert!(
                ["platform", "currency"].contains(&name.as_str())
                    || known.any(|dataset| dataset.has_dimension(name)),
                "{}: {name}",
                template.slug
            );
        }
        assert!(!groups.time.is_empty());
    }
}

#[test]
fn slugs_are_unique_versions_count_from_one_and_every_tile_needs_some_data() {
    let templates = all().unwrap();
    for (n, template) in templates.iter().enumerate() {
        assert!(
            templates[..n]
                .iter()
                .all(|other| other.slug != template.slug)
        );
        assert!(template.version >= 1);
        assert!(template.tiles.len() >= 6, "{}", template.slug);
        for tile in &template.tiles {
            let mut missing = needs::Measures::new();
            assert!(!needs::is_answered(
                tile,
                &needs::Measures::new(),
                &mut missing
            ));
            assert!(!missing.is_empty(), "{} {}", template.slug, tile.id);
            if let TileQuery::Numbers(query) = &tile.query {
                assert!(query.limit.is_none_or(|limit| limit <= 100));
            }
        }
    }
    for slug in [
        "google-ads",
        "facebook-ads",
        "linkedin-ads",
        "ga4",
        "search-console",
        "ecommerce",
        "ecommerce-cohorts",
        "hubspot-crm",
        "paid-media",
        "tiktok-ads",
        "microsoft-ads",
        "email",
        "social-organic",
        "local",
        "growth",
        "agency-overview",
    ] {
        assert!(find(slug).is_some(), "{slug}");
    }
}

#[test]
fn one_source_of_advertising_is_enough_for_blended_numbers() {
    let paid = find("paid-media").unwrap();
    let tile = paid.tiles.iter().find(|tile| tile.id == "spend").unwrap();
    let one = |dataset: &str, measure: &str| {
        needs::Measures::from([(dataset.to_owned(), [measure.to_owned()].into())])
    };
    let mut missing = needs::Measures::new();
    assert!(needs::is_answered(
        tile,
        &one("facebook-ads", "cost"),
        &mut missing
    ));
    assert!(missing.is_empty());
    assert!(!needs::is_answered(
        tile,
        &one("facebook-ads", "clicks"),
        &mut missing
    ));
    assert!(missing["facebook-ads"].contains("cost") && missing["google-ads"].contains("cost"));
}
