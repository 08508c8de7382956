//! The way back from an action: the CRM's restore for what was deleted, its trash for what was made, the old values for what
//! was changed. Every step names the version that the action left, so that nobody else's later change is overwritten.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Target;
use crate::crm::{Change, CrmError, Session};

/// One step back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(crate) enum Inverse {
    /// Into the trash with what was made.
    Delete { record: Target },
    /// Out of the trash with what was deleted.
    Restore { record: Target },
    /// What the fields had.
    Put {
        record: Target,
        fields: Map<String, Value>,
    },
    /// Into the stage where the deal was.
    Move {
        record: Target,
        fields: Map<String, Value>,
    },
}

impl Inverse {
    /// The record, as the action left it.
    pub(crate) const fn record(&self) -> &Target {
        match self {
            Self::Delete { record }
            | Self::Restore { record }
            | Self::Put { record, .. }
            | Self::Move { record, .. } => record,
        }
    }

    /// The record's title as the action left it.
    pub(crate) fn title(&self) -> &str {
        &self.record().title
    }

    /// Takes a new title for the record's, when it got one.
    pub(super) fn retitle(&mut self, title: Option<&str>) {
        if let (Self::Put { record, .. }, Some(title)) = (self, title) {
            title.clone_into(&mut record.title);
        }
    }

    /// Goes one step back.
    pub(super) async fn go(&self, crm: &Session<'_>) -> Result<(), CrmError> {
        match self {
            Self::Delete { record } => crm.delete(record).await,
            Self::Restore { record } => crm.restore(record).await.map(drop),
            Self::Put { record, fields } => {
                crm.change(record, Change::Fields(fields)).await.map(drop)
            }
            Self::Move { record, fields } => {
                crm.change(record, Change::Move(fields)).await.map(drop)
            }
        }
    }
}

/// Goes back, the last step first. Answers the steps that remain, the one that failed among them, and why.
pub(crate) async fn back(
    mut steps: Vec<Inverse>,
    crm: &Session<'_>,
) -> (Vec<Inverse>, Option<CrmError>) {
    while let Some(step) = steps.last() {
        if let Err(error) = step.go(crm).await {
            return (steps, Some(error));
        }
        steps.pop();
    }
    (steps, None)
}
