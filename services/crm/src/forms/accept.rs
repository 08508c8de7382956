//! What becomes of a submission.

use std::net::IpAddr;

use bz_http::{Problem, extract::parse, validated};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    CaptureForm, CaptureFormId,
    body::{Inputs, cut},
    capture::ip_digest,
    store::{self, Kept},
};
use crate::{
    app::AppState,
    duplicates::{keys_of, lock},
    leads::{CreateLead, Lead},
    normal,
    records::{Fields, Record, Work, custom, sql::Sql},
};

/// A submission to a form that takes it.
pub(super) struct Submission<'a> {
    pub form: &'a CaptureForm,
    pub inputs: &'a Inputs,
    pub key: Option<&'a str>,
    pub ip: Option<IpAddr>,
}

impl Submission<'_> {
    /// Whether the person agreed to what the form asks; none when nothing of the submission may be kept.
    fn agreed(&self) -> Option<bool> {
        let set = &self.form.settings;
        let trap = set.honeypot.as_deref();
        let agrees = |input: &str| self.inputs.is_ticked(input);
        let consent = set.consent.as_ref();
        let agreed = consent.is_none_or(|consent| agrees(&consent.input));
        let needed = consent.is_some_and(|consent| consent.required);
        let trapped = trap.is_some_and(|name| self.inputs.get(name).is_some());
        (!trapped && (agreed || !needed)).then_some(agreed)
    }
}

/// Whose form has a key. Nobody's user acts: the form's maker does.
pub(super) async fn find(
    app: &AppState,
    key: &str,
) -> Result<Option<(TenantScope, CaptureFormId)>, DbError> {
    if key.len() > 64 {
        return Ok(None);
    }
    let mut tx = app.core.db.system().await?;
    let found = store::of_key(&mut tx, key).await?;
    Ok(found.map(|(tenant, id)| (TenantScope::new(tenant, None), id)))
}

/// Keeps the submission and makes a lead of it. One that is not wanted leaves nothing behind; one that makes no lead because
/// what it says is not valid is kept all the same.
pub(super) async fn accept(
    app: &AppState,
    mut tx: TenantTx,
    maker: UserId,
    submission: Submission<'_>,
) -> Result<(), Problem> {
    let Some(agreed) = submission.agreed() else {
        return Ok(());
    };
    let actor = maker;
    let mut work = Work {
        app,
        tx: &mut tx,
        actor,
    };
    let consent = consent(&work, &submission, agreed);
    let fields = fields(&mut work, &submission, &consent).await?;
    let id = work.id();
    let fresh = id.to_string();
    let once = submission
        .key
        .or_else(|| submission.inputs.get("submission_id"));
    let once = once.map(|key| cut(key, 255));
    let email = fields.get("email").and_then(Value::as_str);
    let kept = Kept {
        id,
        form: submission.form.id,
        submission: once.as_deref().unwrap_or(&fresh),
        email_norm: email.and_then(normal::email),
        fields: &fields,
        consent: &consent,
        at: work.now(),
    };
    if !store::keep(work.tx, &kept).await? {
        return Ok(());
    }
    if let Some(lead) = lead(&mut work, &fields).await? {
        store::became(work.tx, id, lead).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// What the person agreed to, when and from where.
fn consent(work: &Work<'_>, submission: &Submission<'_>, agreed: bool) -> Map<String, Value> {
    let Some(consent) = &submission.form.settings.consent else {
        return Map::new();
    };
    let mut said = Map::new();
    said.insert("given".into(), agreed.into());
    said.insert("text".into(), consent.text.clone().into());
    said.insert("at".into(), work.now().to_rfc3339().into());
    said.insert("form".into(), submission.form.name.clone().into());
    let tenant = work.tx.scope().tenant().to_string();
    let ip = submission.ip.map(|ip| ip_digest(work.app, &tenant, ip));
    said.insert("ip_digest".into(), ip.into());
    said
}

/// The lead's fields that a submission says.
async fn fields(
    work: &mut Work<'_>,
    submission: &Submission<'_>,
    consent: &Map<String, Value>,
) -> Result<Map<String, Value>, DbError> {
    let known = custom::definitions(work.app, work.tx).await?;
    let set = &submission.form.settings;
    let (mut fields, mut own) = (Map::new(), Map::new());
    for field in &set.fields {
        let Some(text) = submission.inputs.get(&field.input) else {
            continue;
        };
        match field.field.strip_prefix("custom.") {
            Some(key) => {
                let kind = known
                    .iter()
                    .find(|known| known.record_type == "lead" && known.key == key);
                own.insert(
                    key.to_owned(),
                    typed(kind.map(|known| known.kind.as_str()), text),
                );
            }
            None if field.field == "employees" => {
                fields.insert(field.field.clone(), typed(Some("number"), text));
            }
            None => drop(fields.insert(field.field.clone(), text.into())),
        }
    }
    let utm = submission.inputs.utm();
    let campaign = set
        .campaign
        .clone()
        .or_else(|| utm.get("utm_campaign")?.as_str().map(|text| cut(text, 200)));
    fields.insert("campaign".into(), campaign.into());
    fields.insert(
        "source".into(),
        set.source.as_deref().unwrap_or("form").into(),
    );
    fields.insert("utm".into(), utm.into());
    fields.insert("tags".into(), json!(set.tags));
    fields.insert("owner_id".into(), json!(set.owner_id));
    fields.insert("team_id".into(), json!(set.team_id));
    fields.insert("consent".into(), consent.clone().into());
    fields.insert("custom".into(), own.into());
    Ok(fields)
}

/// A text as a value of a field of this type.
fn typed(kind: Option<&str>, text: &str) -> Value {
    match kind {
        Some("number") => serde_json::from_str::<serde_json::Number>(text)
            .map_or_else(|_| text.into(), Value::Number),
        Some("boolean") => {
            (!matches!(text.to_lowercase().as_str(), "false" | "0" | "no" | "off")).into()
        }
        Some("multi_select") => text.split(',').map(str::trim).collect(),
        _ => text.into(),
    }
}

/// The lead that there is now: the open one of the same address, with what it lacked, or a new one. None when what was
/// submitted makes no lead.
async fn lead(work: &mut Work<'_>, fields: &Map<String, Value>) -> Result<Option<Uuid>, Problem> {
    let bytes = serde_json::to_vec(fields).map_err(Problem::internal)?;
    let wanted: CreateLead = match parse(&bytes).and_then(validated) {
        Ok(wanted) => wanted,
        Err(problem) if problem.status().is_server_error() => return Err(problem),
        Err(_) => return Ok(None),
    };
    let keys = keys_of::<Lead>(&wanted);
    lock::<Lead>(work.tx, &keys).await?;
    let done = match open(work, keys.email).await? {
        Some(lead) => {
            let wanted = lacking(&lead, wanted);
            work.update(lead, wanted).await
        }
        None => work.create::<Lead>(wanted).await,
    };
    match done {
        Ok(lead) => Ok(Some(lead.id.as_uuid())),
        // The tenant's own fields did not fit: that is found out before anything is written.
        Err(problem) if problem.code() == "validation_failed" => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The oldest open lead of an address, locked.
async fn open(work: &mut Work<'_>, email: Option<String>) -> Result<Option<Lead>, DbError> {
    let Some(email) = email else { return Ok(None) };
    let columns = Lead::columns();
    let mut sql = Sql::new(format!(
        "-- crm.leads.open_of_address\nSELECT {columns} FROM crm.leads WHERE email_norm = "
    ));
    sql.bind(email);
    sql.push(" AND deleted_at IS NULL AND status NOT IN ('converted', 'unqualified') ORDER BY id LIMIT 1 FOR UPDATE");
    sql.fetch_optional(work.tx).await
}

/// The lead with what it lacks. Anybody may submit a form, so that nothing that is there is replaced.
fn lacking(lead: &Lead, wanted: CreateLead) -> CreateLead {
    let mut fields = lead.fields();
    let pairs = [
        (&mut fields.first_name, wanted.first_name),
        (&mut fields.last_name, wanted.last_name),
        (&mut fields.phone, wanted.phone),
        (&mut fields.company_name, wanted.company_name),
        (&mut fields.title, wanted.title),
        (&mut fields.website, wanted.website),
        (&mut fields.industry, wanted.industry),
        (&mut fields.country, wanted.country),
        (&mut fields.city, wanted.city),
        (&mut fields.source, wanted.source),
        (&mut fields.campaign, wanted.campaign),
    ];
    for (there, new) in pairs {
        if there.is_none() {
            *there = new;
        }
    }
    fields.employees = fields.employees.or(wanted.employees);
    for (there, new) in [
        (&mut fields.custom, wanted.custom),
        (&mut fields.utm, wanted.utm),
    ] {
        for (key, value) in new {
            there.entry(key).or_insert(value);
        }
    }
    // The newest word of the person counts.
    if wanted.consent.get("given") == Some(&true.into()) {
        fields.consent = wanted.consent;
    }
    for tag in wanted.tags {
        if fields.tags.len() < 50 && !fields.common().tags.contains(&tag) {
            fields.tags.push(tag);
        }
    }
    fields
}
