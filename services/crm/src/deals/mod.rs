//! Deals: what customers may buy, on their way through a pipeline.

mod board;
mod endpoints;
mod history;
mod list;
mod moving;
mod people;
pub(crate) mod relocate;
pub(crate) mod stage;
mod timeline;
pub(crate) mod told;
pub(crate) mod totals;
mod transfer;

use bz_http::{Errors, Problem, Routes, Validate, routes};
use bz_kernel::{CompanyId, ContactId, DealId, LeadId, PipelineId, StageId};
use bz_tenant::DbError;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use crate::{
    app::AppState,
    pipelines::StageKind,
    records::{Facts, Fields, Money, Rules, Work, record, references, validate_common},
    rules,
};

bz_auth::permissions! {
    /// See deals.
    DealsRead = "deals:read",
    /// Create, change, move and delete deals.
    DealsWrite = "deals:write",
}

/// The most people of a deal.
const MOST_CONTACTS: usize = 50;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    endpoints::routes()
        .merge(list::routes())
        .merge(timeline::routes())
        .merge(transfer::routes())
        .routes(routes!(board::get_deal_board))
        .routes(routes!(moving::move_deal))
        .routes(routes!(history::list_deal_stage_history))
        .routes(routes!(people::list_contact_deals))
        .routes(routes!(people::list_company_deals))
}

record! {
    /// What a customer may buy.
    pub struct Deal(DealId) = DEAL: "deal", "deals";

    /// What a client writes of a deal. Without a pipeline it goes into the default one, without a stage into the first
    /// open one; a change that names neither leaves it where it is.
    #[schema(example = json!({ "name": "40 engines", "amount": { "amount": "12000.00", "currency": "EUR" } }))]
    writes CreateDeal {
        /// Its name, 1 to 200 characters.
        #[schema(min_length = 1, max_length = 200)]
        name: String,
        /// What the customer would pay.
        amount: Option<Money>,
        /// The pipeline it goes through.
        #[serde(default)]
        #[schema(value_type = PipelineId)]
        pipeline_id: Option<PipelineId>,
        /// Where in the pipeline it is.
        #[serde(default)]
        #[schema(value_type = StageId)]
        stage_id: Option<StageId>,
        /// Where it stands among the deals of its stage; at the end when not given.
        #[serde(default)]
        #[schema(value_type = f64)]
        position: Option<f64>,
        /// The company that would buy.
        company_id: Option<CompanyId>,
        /// The people it is talked about with, at most 50.
        #[serde(default)]
        #[schema(max_items = 50)]
        contact_ids: Vec<ContactId>,
        /// The lead that it came from.
        lead_id: Option<LeadId>,
        /// When it is expected to be won.
        expected_close_date: Option<NaiveDate>,
        /// How likely it is won, 0 to 100, when that is known better than by its stage.
        #[schema(minimum = 0, maximum = 100)]
        probability: Option<i16>,
        /// Why it was lost, at most 500 characters; only in a stage that is lost.
        #[schema(max_length = 500)]
        lost_reason: Option<String>,
        /// More about it, at most 10,000 characters.
        #[schema(max_length = 10_000)]
        description: Option<String>,
    }

    reads {
        /// How it stands: the kind of its stage.
        status: StageKind,
        /// Its amount times its probability, or else that of its stage.
        weighted_amount: Option<Money>,
        /// When it came into its stage.
        stage_entered_at: DateTime<Utc>,
        /// When it was won or lost.
        closed_at: Option<DateTime<Utc>>,
        /// When something last happened with it.
        last_activity_at: Option<DateTime<Utc>>,
    }
}

impl Validate for CreateDeal {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/name", Some(&self.name), 200);
        rules::optional_text(errors, "/lost_reason", self.lost_reason.as_deref(), 500);
        rules::optional_text(errors, "/description", self.description.as_deref(), 10_000);
        rules::optional_money(errors, "/amount", self.amount.as_ref());
        if self.probability.is_some_and(|p| !(0..=100).contains(&p)) {
            errors.add("/probability", "out_of_range", "must be 0 to 100");
        }
        if self.contact_ids.len() > MOST_CONTACTS {
            let message = format!("must have at most {MOST_CONTACTS} contacts");
            errors.add("/contact_ids", "too_many", message);
        }
        for (n, id) in self.contact_ids.iter().enumerate() {
            if self.contact_ids[..n].contains(id) {
                let message = "is there already; name each contact once";
                errors.add(format!("/contact_ids/{n}"), "repeated", message);
            }
        }
        validate_common(errors, self.common());
    }
}

impl Rules for Deal {
    type Wanted = CreateDeal;

    fn facts(&self) -> Facts<'_> {
        Facts {
            status: Some(self.status.as_str()),
            source: None,
        }
    }

    fn change_event(&self, before: &Self) -> Option<&'static str> {
        let closed = self.status != before.status;
        match self.status {
            StageKind::Won if closed => Some("deal.won"),
            StageKind::Lost if closed => Some("deal.lost"),
            _ => (self.stage_id != before.stage_id).then_some("deal.moved"),
        }
    }

    async fn details(&self, work: &mut Work<'_>) -> Result<Map<String, Value>, DbError> {
        let id = self.id.as_uuid();
        let mut told = told::details(work.tx, &[id]).await?;
        Ok(told.remove(&id).unwrap_or_default())
    }

    /// A deal that goes into another stage goes to its end, and one that goes into another pipeline to its beginning.
    fn reword(&self, members: &mut Map<String, Value>) {
        let moved = |members: &Map<String, Value>, name: &str| members.contains_key(name);
        if moved(members, "pipeline_id") && !moved(members, "stage_id") {
            let same = serde_json::to_value(self.pipeline_id).ok();
            if members.get("pipeline_id") != same.as_ref() {
                members.insert("stage_id".into(), Value::Null);
            }
        }
        if moved(members, "stage_id") && !moved(members, "position") {
            let same = serde_json::to_value(self.stage_id).ok();
            if members.get("stage_id") != same.as_ref() {
                members.insert("position".into(), Value::Null);
            }
        }
    }

    async fn prepare(
        work: &mut Work<'_>,
        wanted: &mut CreateDeal,
        before: Option<&Self>,
    ) -> Result<(), Problem> {
        stage::settle(work, wanted, before).await?;
        let company = before
            .and_then(|deal| deal.company_id)
            .map(bz_kernel::CompanyId::as_uuid);
        let wanted_company = wanted.company_id.map(bz_kernel::CompanyId::as_uuid);
        let companies = crate::companies::COMPANY;
        references::check(work.tx, companies, "company_id", wanted_company, company).await?;
        let lead = before
            .and_then(|deal| deal.lead_id)
            .map(bz_kernel::LeadId::as_uuid);
        let wanted_lead = wanted.lead_id.map(bz_kernel::LeadId::as_uuid);
        references::check(work.tx, crate::leads::LEAD, "lead_id", wanted_lead, lead).await?;
        people::check(work, wanted, before).await
    }

    async fn written(&self, work: &mut Work<'_>, before: Option<&Self>) -> Result<(), Problem> {
        people::write(work, self, before).await?;
        if before.is_none_or(|before| before.stage_id != self.stage_id) {
            let from = before.and_then(|before| before.stage_id);
            history::insert(work, self.id, from, self.stage_id).await?;
        }
        Ok(())
    }
}
