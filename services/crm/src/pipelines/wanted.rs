//! What clients write of pipelines, and what can be wrong with it.

use std::borrow::Cow;

use bz_http::{Errors, Validate};
use bz_kernel::StageId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Pipeline, Stage, StageKind};
use crate::{deals::DEAL, rules};

/// The most stages of a pipeline.
const MOST_STAGES: usize = 50;
/// The most fields that a stage can require.
const MOST_FIELDS: usize = 20;
/// Fields of a deal that say where it stands and so can be required by no stage.
const PLACE: [&str; 3] = ["pipeline_id", "stage_id", "position"];

/// What a client writes of a pipeline. Without stages it gets the usual ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Partners", "stages": [{ "name": "Talking", "probability": 30 },
    { "name": "Won", "kind": "won" }, { "name": "Lost", "kind": "lost" }] }))]
pub(crate) struct CreatePipeline {
    /// Its name, 1 to 100 characters; each name once.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Whether deals go into it that name none; the pipeline that was the default is it no longer.
    #[serde(default, rename = "default")]
    pub is_default: bool,
    /// Its stages in their order, at most 50, at least one of them open.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub stages: Vec<WantedStage>,
}

/// What a client writes of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedStage {
    /// A stage that is there already; none for a new one.
    pub id: Option<StageId>,
    /// Its name, 1 to 100 characters; each name once in a pipeline.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Where it stands; when not given, where it stands in the list.
    #[schema(minimum = 0)]
    pub position: Option<i32>,
    /// What becomes of a deal in it; `open` when not given. It stays while deals are in the stage.
    #[serde(default)]
    pub kind: StageKind,
    /// How likely a deal in it is won, 0 to 100. Needed for an open stage; 100 for won and 0 for lost ones.
    #[schema(minimum = 0, maximum = 100)]
    pub probability: Option<i16>,
    /// After how many days without a move a deal in it is called stale, 1 or more.
    #[schema(minimum = 1)]
    pub rot_days: Option<i32>,
    /// The fields that a deal must have to enter it, at most 20: `amount`, `company_id`, `custom.budget`.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub required_fields: Vec<String>,
}

/// A change of a pipeline: what is missing stays. `stages` replaces all stages: those with their ids stay the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchPipeline {
    /// Its name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Whether deals go into it that name none.
    #[serde(rename = "default")]
    is_default: Option<bool>,
    /// All its stages in their order.
    #[schema(max_items = 50)]
    stages: Option<Vec<WantedStage>>,
}

/// What is wrong shows with the pipeline that is changed: [`PatchPipeline::onto`].
impl Validate for PatchPipeline {
    fn validate(&self, _: &mut Errors) {}
}

impl PatchPipeline {
    /// The pipeline as it is to be.
    pub(super) fn onto(self, before: &Pipeline) -> CreatePipeline {
        let stages = || before.stages.iter().map(WantedStage::from).collect();
        CreatePipeline {
            name: self.name.unwrap_or_else(|| before.name.clone()),
            is_default: self.is_default.unwrap_or(before.is_default),
            stages: self.stages.unwrap_or_else(stages),
        }
    }
}

impl From<&Stage> for WantedStage {
    fn from(stage: &Stage) -> Self {
        Self {
            id: Some(stage.id),
            name: stage.name.clone(),
            position: Some(stage.position),
            kind: stage.kind,
            probability: Some(stage.probability),
            rot_days: stage.rot_days,
            required_fields: stage.required_fields.clone(),
        }
    }
}

impl WantedStage {
    /// The probability that its kind has by itself, if it was not given.
    pub(super) fn probability(&self) -> i16 {
        self.probability.unwrap_or(match self.kind {
            StageKind::Won => 100,
            StageKind::Open | StageKind::Lost => 0,
        })
    }
}

impl CreatePipeline {
    /// The stages in the order in which they are to stand.
    pub(super) fn in_order(&self) -> Vec<&WantedStage> {
        let mut stages: Vec<(usize, &WantedStage)> = self.stages.iter().enumerate().collect();
        let place = |(n, stage): &(usize, &WantedStage)| {
            let given = stage
                .position
                .and_then(|position| usize::try_from(position).ok());
            (given.unwrap_or(*n), *n)
        };
        stages.sort_by_key(place);
        stages.into_iter().map(|(_, stage)| stage).collect()
    }
}

impl Validate for CreatePipeline {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/name", Some(&self.name), 100);
        if self.stages.len() > MOST_STAGES {
            let message = format!("must have at most {MOST_STAGES} stages");
            errors.add("/stages", "too_many", message);
        }
        let open = |stage: &WantedStage| stage.kind == StageKind::Open;
        if !self.stages.is_empty() && !self.stages.iter().any(open) {
            errors.add("/stages", "open_required", "at least one must be open");
        }
        for (n, stage) in self.stages.iter().enumerate() {
            let before = &self.stages[..n];
            if before.iter().any(|other| other.name == stage.name) {
                let message = "is another one's name; use each name once";
                errors.add(format!("/stages/{n}/name"), "repeated", message);
            }
            if stage.id.is_some() && before.iter().any(|other| other.id == stage.id) {
                let message = "is there already; name each stage once";
                errors.add(format!("/stages/{n}/id"), "repeated", message);
            }
            stage.validate(errors, n);
        }
    }
}

impl WantedStage {
    fn validate(&self, errors: &mut Errors, n: usize) {
        let at = |field: &str| -> Cow<'static, str> { format!("/stages/{n}/{field}").into() };
        rules::optional_text(errors, at("name"), Some(&self.name), 100);
        let fixed = match self.kind {
            StageKind::Open => None,
            StageKind::Won => Some(100),
            StageKind::Lost => Some(0),
        };
        match (self.probability, fixed) {
            (None, None) => {
                errors.add(at("probability"), "required", "is needed for an open stage");
            }
            (Some(given), Some(fixed)) if given != fixed => {
                let message = format!("must be {fixed} for a stage that is {}", self.kind.as_str());
                errors.add(at("probability"), "conflicting", message);
            }
            (Some(given), _) if !(0..=100).contains(&given) => {
                errors.add(at("probability"), "out_of_range", "must be 0 to 100");
            }
            _ => {}
        }
        if self.rot_days.is_some_and(|days| days < 1) {
            errors.add(at("rot_days"), "too_small", "must be 1 or more");
        }
        if self.position.is_some_and(|position| position < 0) {
            errors.add(at("position"), "too_small", "must be 0 or more");
        }
        if self.required_fields.len() > MOST_FIELDS {
            let message = format!("must have at most {MOST_FIELDS} fields");
            errors.add(at("required_fields"), "too_many", message);
        }
        for (m, field) in self.required_fields.iter().enumerate() {
            if !can_be_required(field) {
                let message = "must be a field that clients write of a deal, or custom.<key>";
                errors.add(
                    at(&format!("required_fields/{m}")),
                    "unknown_field",
                    message,
                );
            }
        }
    }
}

fn can_be_required(name: &str) -> bool {
    let own = name
        .strip_prefix("custom.")
        .is_some_and(|key| !key.is_empty());
    let written = DEAL.field(name).is_some_and(|field| field.written);
    name.len() <= 200 && (own || name == "tags" || written && !PLACE.contains(&name))
}
