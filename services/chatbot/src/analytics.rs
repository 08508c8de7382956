//! Numbers, from analytics, with the user's own token.

use bz_http::client::Sibling;
use bz_kernel::SecretString;
use bz_service::Core;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::{Failure, Part};

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

impl Analytics {
    /// The analytics service that is configured.
    pub(crate) fn new(core: &Core) -> anyhow::Result<Self> {
        let base = &core.siblings.analytics;
        Ok(Self(Sibling::new("analytics", base, &core.sources)?))
    }

    /// Everything that can be asked for.
    pub(crate) async fn catalogue(&self, token: &SecretString) -> Result<Vec<Metric>, Failure> {
        let call = self.0.get("/api/metrics/catalog").bearer(token);
        let catalogue: Catalogue = call.send().await.map_err(Failure::of(Part::Analytics))?;
        Ok(catalogue.metrics)
    }

    /// The answer to a question. It changes nothing, so it may be repeated under any key.
    pub(crate) async fn query(
        &self,
        query: &Value,
        token: &SecretString,
        key: &str,
    ) -> Result<Frame, Failure> {
        let call = self.0.post("/api/metrics/query").bearer(token);
        let call = call.idempotency_key(key).json(query);
        call.send().await.map_err(Failure::of(Part::Analytics))
    }
}
