//! The score of one lead as it is now, beside what was stored of it.

use std::sync::Arc;

use bz_http::Problem;
use bz_kernel::{LeadId, TenantId};
use bz_scoring::Model;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::query_scalar;
use uuid::Uuid;

use super::{
    answer::{LeadScore, PastScore, Trend},
    assess::Scorer,
    rescore,
    settings::{self, Setup},
    subject::{self, Subject, Which},
};
use crate::{
    app::AppState,
    leads::{CreateLead, Lead},
    records::sql::Sql,
};

/// A score is compared with the one of so long ago.
const BEFORE: TimeDelta = TimeDelta::days(7);

/// Everything that the score of a lead needs.
pub(crate) struct Scored {
    setup: Arc<Setup>,
    model: Option<Arc<Model>>,
    subject: Subject,
    previous: Option<i16>,
    now: DateTime<Utc>,
    imagined: bool,
}

impl Scored {
    /// Reads it.
    pub(crate) async fn of(
        app: &AppState,
        tx: &mut TenantTx,
        lead: &Lead,
    ) -> Result<Self, Problem> {
        let (id, now) = (lead.id.as_uuid(), app.core.sources.now());
        let setup = settings::setup(app, tx).await?;
        let model = setup.model(app, tx).await?;
        let hours = setup.settings.as_of_hours;
        let found = subject::current(tx, Which::Ids(&[id]), hours).await?;
        let subject = found.into_iter().next().ok_or_else(Problem::not_found)?;
        Ok(Self {
            previous: previous(tx, id, now - BEFORE).await?,
            setup,
            model,
            subject,
            now,
            imagined: false,
        })
    }

    /// Takes the lead as if it had these fields.
    pub(crate) fn imagine(&mut self, fields: &CreateLead) -> Result<(), Problem> {
        if let Value::Object(fields) = serde_json::to_value(fields).map_err(Problem::internal)? {
            self.subject.fields = fields;
        }
        self.imagined = true;
        Ok(())
    }

    /// The score with its strongest reasons.
    pub(crate) fn answer(&self, lead: &Lead, most: usize) -> LeadScore {
        let scorer = Scorer {
            setup: &self.setup,
            model: self.model.as_deref(),
            now: self.now,
        };
        let assessment = scorer.assess(&self.subject, most);
        let score = i16::from(assessment.score);
        LeadScore {
            lead_id: lead.id,
            trend: self.previous.map(|before| Trend::between(before, score)),
            previous_score: self.previous,
            stale: !self.imagined
                && (lead.score, lead.grade) != (Some(score), Some(assessment.grade)),
            assessment,
        }
    }
}

/// Writes the lead's score down.
pub(crate) async fn store(app: &AppState, tenant: TenantId, lead: LeadId) -> Result<(), Problem> {
    let done = rescore::leads(app, tenant, &[lead.as_uuid()]).await;
    done.map_err(rescore::problem)
}

/// The score of then, or the first one when the lead was first scored since.
async fn previous(
    tx: &mut TenantTx,
    lead: Uuid,
    then: DateTime<Utc>,
) -> Result<Option<i16>, DbError> {
    let score = query_scalar(
        "-- crm.lead_scores.previous\n\
         SELECT score FROM ( \
           (SELECT score, 1 AS n FROM crm.lead_scores WHERE lead_id = $1 AND scored_at <= $2 ORDER BY id DESC LIMIT 1) \
           UNION ALL (SELECT score, 2 FROM crm.lead_scores WHERE lead_id = $1 ORDER BY id LIMIT 1) \
         ) AS found ORDER BY n LIMIT 1",
    )
    .bind(lead)
    .bind(then)
    .fetch_optional(tx.conn())
    .await?;
    Ok(score)
}

/// The scores that a lead has had, newest first.
pub(crate) async fn history(
    tx: &mut TenantTx,
    lead: LeadId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<PastScore>, DbError> {
    let mut sql = Sql::new(
        "-- crm.lead_scores.list\n\
         SELECT id, score, grade, probability, mode, model_version, scored_at FROM crm.lead_scores WHERE lead_id = ",
    );
    sql.bind(lead.as_uuid());
    if let Some(before) = before {
        sql.push(" AND id < ").bind(before);
    }
    sql.push(" ORDER BY id DESC LIMIT ").bind(limit);
    sql.fetch_all(tx).await
}
