//! Numbers, from analytics, with the user's own token.

use bz_http::client::{Sibling, SiblingError};
use bz_kernel::SecretString;
use bz_service::Core;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::crm::CrmError;
use crate::failure::{self, Failure};

/// Analytics. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Analytics(Sibling);

/// What can be asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Catalogue {
    pub(crate) metrics: Vec<Metric>,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Metric {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) unit: String,
}

/// Numbers.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    pub(crate) meta: Meta,
}

/// What a column is.
#[derive(Debug, Deserialize)]
pub(crate) struct Column {
    pub(crate) kind: String,
    pub(crate) currency: Option<String>,
}

/// One row.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) values: Vec<Option<String>>,
    pub(crate) previous: Option<Vec<Option<String>>>,
}

/// How the numbers were made.
#[derive(Debug, Deserialize)]
pub(crate) struct Meta {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) partial_period: bool,
}

/// What a question leads to.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Counted {
    /// The numbers.
    Now(Frame),
    /// They take longer than one waits, and will be in a report.
    Later(Report),
}

/// A report that was ordered.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) id: Uuid,
    pub(crate) title: String,
}

/// A report's file, as far as it answers one question.
#[derive(Deserialize)]
struct Document {
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    answer: PartAnswer,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartAnswer {
    Frame(Frame),
    Problem(Fault),
}

#[derive(Deserialize)]
struct Fault {
    detail: String,
}

impl Analytics {
    /// The analytics service that is configured.
    pub(crate) fn new(core: &Core) -> anyhow::Result<Self> {
        let base = &core.siblings.analytics;
        Ok(Self(Sibling::new("analytics", base, &core.sources)?))
    }

    /// Everything that can be asked for.
    pub(crate) async fn catalogue(&self, token: &SecretString) -> Result<Vec<Metric>, Failure> {
        let call = self.0.get("/api/metrics/catalog").bearer(token);
        let catalogue: Catalogue = call.send().await.map_err(failed)?;
        Ok(catalogue.metrics)
    }

    /// The answer to a question. It changes nothing, so it may be repeated under any key.
    pub(crate) async fn query(
        &self,
        query: &Value,
        token: &SecretString,
        key: &str,
    ) -> Result<Counted, Failure> {
        let call = self.0.post("/api/metrics/query").bearer(token);
        let call = call.idempotency_key(key).json(query);
        call.send().await.map_err(failed)
    }

    /// The numbers of a report that a question ordered; none while it is being made.
    pub(crate) async fn numbers(
        &self,
        report: &Report,
        token: &SecretString,
    ) -> Result<Option<Frame>, Failure> {
        let path = format!("/api/reports/{}/download?format=json", report.id);
        let document: Document = match self.0.get(&path).bearer(token).send().await {
            Err(SiblingError::Refused { code, .. }) if code == "report_not_ready" => {
                return Ok(None);
            }
            document => document.map_err(failed)?,
        };
        match document.parts.into_iter().next().map(|part| part.answer) {
            Some(PartAnswer::Frame(frame)) => Ok(Some(frame)),
            Some(PartAnswer::Problem(fault)) => Err(refused(fault.detail)),
            None => Err(refused("the report is empty".to_owned())),
        }
    }
}

fn failed(error: SiblingError) -> Failure {
    Failure::of(failure::Part::Analytics)(error)
}

const fn refused(why: String) -> Failure {
    Failure {
        part: failure::Part::Analytics,
        why: CrmError::Refused(why),
    }
}
