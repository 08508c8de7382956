//! The endpoints of scoring.

mod activate;
mod get_model;
mod get_rules;
mod get_training;
mod list_models;
mod patch_model;
mod put_rules;
mod record_outcomes;
mod score_leads;
mod train_model;

use bz_http::{Problem, Routes, routes};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::AppState;

bz_auth::permissions! {
    /// See how leads are scored: the model, its card, the rules.
    ScoringRead = "scoring:read",
    /// Change how leads are scored: train, settings, rules, models.
    ScoringManage = "scoring:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(
            get_model::get_scoring_model,
            patch_model::patch_scoring_model
        ))
        .routes(routes!(train_model::train_scoring_model))
        .routes(routes!(get_training::get_scoring_training))
        .routes(routes!(list_models::list_scoring_models))
        .routes(routes!(activate::activate_scoring_model))
        .routes(routes!(
            get_rules::get_scoring_rules,
            put_rules::put_scoring_rules
        ))
        .routes(routes!(score_leads::score_leads))
        .routes(routes!(record_outcomes::record_outcomes))
}

/// How many reasons to answer.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Factors {
    /// `all`, or at most so many, the strongest first; `all` when not given.
    factors: Option<String>,
}

impl Factors {
    /// The number.
    ///
    /// # Errors
    /// 422 when it is neither `all` nor a number.
    pub(crate) fn most(&self) -> Result<usize, Problem> {
        match self.factors.as_deref() {
            None | Some("all") => Ok(usize::MAX),
            Some(number) => number.parse::<u16>().map(usize::from).map_err(|_| {
                Problem::invalid_parameter(
                    "factors",
                    "invalid_value",
                    "must be all or a number such as 5",
                )
            }),
        }
    }
}
