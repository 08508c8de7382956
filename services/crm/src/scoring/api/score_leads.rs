use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Query, Validate};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    leads::{CreateLead, LEAD, LeadsRead},
    records::custom,
    scoring::{
        answer::{AdHocScore, AdHocScores},
        api::Factors,
        assess::Scorer,
        settings,
        subject::Subject,
    },
};

/// Most leads of a request.
const MOST: usize = 1_000;

/// Leads to score that are not stored.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "leads": [{ "external_id": "17", "source": "referral", "title": "CEO" }] }))]
pub(super) struct ScoreLeads {
    /// 1 to 1,000 leads, with the fields of `POST /api/leads`; none is required.
    #[schema(min_items = 1, max_items = 1000)]
    leads: Vec<CreateLead>,
}

impl Validate for ScoreLeads {
    fn validate(&self, errors: &mut Errors) {
        if self.leads.is_empty() || self.leads.len() > MOST {
            errors.add(
                "/leads",
                "invalid_length",
                format!("must be 1 to {MOST} leads"),
            );
        }
    }
}

/// Score leads that are not stored.
///
/// Each as if it were created now. Nothing is stored.
#[utoipa::path(
    post, path = "/api/scoring/score", tag = "scoring",
    security(("bearer" = ["leads:read"])),
    params(Factors),
    request_body = ScoreLeads,
    responses((status = 200, description = "The scores", body = AdHocScores), bz_http::openapi::WriteProblems),
)]
pub(super) async fn score_leads(
    State(app): State<AppState>,
    caller: Can<LeadsRead>,
    Query(factors): Query<Factors>,
    Json(body): Json<ScoreLeads>,
) -> Result<Json<AdHocScores>, Problem> {
    let most = factors.most()?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let setup = settings::setup(&app, &mut tx).await?;
    let model = setup.model(&app, &mut tx).await?;
    let definitions = custom::definitions(&app, &mut tx).await?;
    drop(tx);
    check(&definitions, &body.leads)?;
    let now = app.core.sources.now();
    let work = move || {
        let scorer = Scorer {
            setup: &setup,
            model: model.as_deref(),
            now,
        };
        body.leads
            .iter()
            .map(|lead| scored(scorer, lead, most))
            .collect::<Result<_, serde_json::Error>>()
    };
    let items = app.scoring.compute.run(work).await;
    let items = items
        .map_err(Problem::internal)?
        .map_err(Problem::internal)?;
    Ok(Json(AdHocScores { items }))
}

fn scored(
    scorer: Scorer<'_>,
    lead: &CreateLead,
    most: usize,
) -> Result<AdHocScore, serde_json::Error> {
    let fields = match serde_json::to_value(lead)? {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    let subject = Subject::imagined(fields, scorer.now);
    Ok(AdHocScore {
        external_id: lead.external_id.clone(),
        assessment: scorer.assess(&subject, most),
    })
}

/// Values of the tenant's own fields must fit their definitions; none is required.
fn check(definitions: &[custom::Definition], leads: &[CreateLead]) -> Result<(), Problem> {
    let own: Vec<custom::Definition> = definitions
        .iter()
        .filter(|field| field.record_type == LEAD.name)
        .map(|field| custom::Definition {
            required: false,
            ..field.clone()
        })
        .collect();
    let own: Vec<&custom::Definition> = own.iter().collect();
    for (n, lead) in leads.iter().enumerate() {
        let mut errors = Errors::default();
        let given = lead.custom.iter().filter(|(_, value)| !value.is_null());
        let given = given
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        custom::validate(&own, &given, &mut errors);
        if !errors.is_empty() {
            let detail = format!("The lead at /leads/{n} has values that do not fit its fields.");
            return Err(Problem::validation(errors).detail(detail));
        }
    }
    Ok(())
}
