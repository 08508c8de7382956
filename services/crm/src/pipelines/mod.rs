//! Pipelines: the stages by which deals go from open to won or lost.

mod change;
mod create;
mod delete;
mod forecast;
mod get;
mod list;
mod patch;
mod put;
mod seed;
mod store;
mod wanted;

use bz_http::{Routes, routes};
use bz_kernel::{PipelineId, StageId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::AppState, records::column::choice_columns, rules};

pub(crate) use seed::{default_for, default_pipeline};
pub(crate) use store::stages_of;
pub(crate) use wanted::{CreatePipeline, PatchPipeline, WantedStage};

bz_auth::permissions! {
    /// See pipelines and their stages.
    PipelinesRead = "pipelines:read",
    /// Create, change and delete pipelines.
    PipelinesManage = "pipelines:manage",
}

/// The most pipelines of a tenant: a list has them all.
const MOST_PIPELINES: usize = 100;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_pipeline, list::list_pipelines))
        .routes(routes!(
            get::get_pipeline,
            put::put_pipeline,
            patch::patch_pipeline,
            delete::delete_pipeline
        ))
        .routes(routes!(forecast::get_pipeline_forecast))
}

/// What becomes of a deal in a stage, and so how the deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// It is worked on.
    #[default]
    Open,
    /// The customer bought.
    Won,
    /// The customer did not buy.
    Lost,
}

rules::text_enum!(StageKind { Open => "open", Won => "won", Lost => "lost" });
rules::read_from_text!(StageKind);
choice_columns!(StageKind);

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stage {
    /// Its id; stays when the stage is renamed or moved.
    pub id: StageId,
    /// Its name.
    pub name: String,
    /// Where it stands in its pipeline, from 0.
    pub position: i32,
    /// What becomes of a deal in it.
    pub kind: StageKind,
    /// How likely a deal in it is won, in percent.
    pub probability: i16,
    /// After how many days without a move a deal in it is called stale.
    pub rot_days: Option<i32>,
    /// The fields that a deal must have to enter it.
    pub required_fields: Vec<String>,
}

/// How deals go from open to won or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// Its name.
    pub name: String,
    /// Whether deals go into it that name none. One pipeline of a tenant does.
    #[serde(rename = "default")]
    pub is_default: bool,
    /// Its stages, in their order.
    pub stages: Vec<Stage>,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}
