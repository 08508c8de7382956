//! What an activity or a to-do is about: any number of leads, contacts, companies and deals.
//!
//! A record has its links in `links`, which clients write; `record_links` is the same for the way back, from the lead to
//! its activities, and is written here only.

use bz_http::{Errors, Problem};
use bz_tenant::DbError;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::records::{RecordType, Work, column::json_columns, references, sql::Sql};

/// The most links of one record.
const MOST: usize = 50;

/// What a record may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkType {
    /// A lead.
    Lead,
    /// A person.
    Contact,
    /// An organisation.
    Company,
    /// A deal.
    Deal,
}

impl LinkType {
    const ALL: [Self; 4] = [Self::Lead, Self::Contact, Self::Company, Self::Deal];

    fn record(self) -> &'static RecordType {
        match self {
            Self::Lead => crate::leads::LEAD,
            Self::Contact => crate::contacts::CONTACT,
            Self::Company => crate::companies::COMPANY,
            Self::Deal => crate::deals::DEAL,
        }
    }
}

/// One record that another one is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: LinkType,
    /// Its id.
    pub id: Uuid,
}

json_columns!(Vec<Link>);

/// What can be wrong with links by themselves.
pub(crate) fn validate(errors: &mut Errors, links: &[Link]) {
    if links.len() > MOST {
        let message = format!("must have at most {MOST} links");
        errors.add("/links", "too_many", message);
    }
    for (n, link) in links.iter().enumerate() {
        if links[..n].contains(link) {
            let message = "is there already; name each record once";
            errors.add(format!("/links/{n}"), "repeated", message);
        }
    }
}

/// Refuses links to what is not there. Links that were there before stay, also to what went into the trash since.
///
/// # Errors
/// 422 at each of them.
pub(crate) async fn check(
    work: &mut Work<'_>,
    links: &[Link],
    before: &[Link],
) -> Result<(), Problem> {
    let mut errors = Errors::default();
    for kind in LinkType::ALL {
        let ids = ids(links.iter().filter(|link| !before.contains(link)), kind);
        let missing = references::missing(work.tx, kind.record(), &ids).await?;
        let lost = |link: &Link| link.kind == kind && missing.contains(&link.id);
        for (n, _) in links.iter().enumerate().filter(|(_, link)| lost(link)) {
            let message = format!("must be one of the tenant's {}", kind.record().plural);
            errors.add(format!("/links/{n}/id"), "not_found", message);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::validation(errors))
    }
}

/// Writes the way back for a record whose links are these now.
pub(crate) async fn write(
    work: &mut Work<'_>,
    (from, id): (&RecordType, Uuid),
    links: &[Link],
    before: &[Link],
) -> Result<(), DbError> {
    let columns = |links: &[Link]| -> (Vec<&'static str>, Vec<Uuid>) {
        links
            .iter()
            .map(|link| (link.kind.record().name, link.id))
            .unzip()
    };
    let beyond = |links: &[Link], others: &[Link]| -> Vec<Link> {
        let new = links.iter().filter(|link| !others.contains(link));
        new.copied().collect()
    };
    let (gone, new) = (beyond(before, links), beyond(links, before));
    if !gone.is_empty() {
        let (types, ids) = columns(&gone);
        let mut sql = Sql::new(
            "-- crm.record_links.delete\nDELETE FROM crm.record_links WHERE (to_type, to_id) IN (SELECT * FROM unnest(",
        );
        sql.bind(types).push("::text[], ").bind(ids);
        sql.push("::uuid[])) AND from_type = ").bind(from.name);
        sql.push(" AND from_id = ").bind(id);
        sql.execute(work.tx).await?;
    }
    if !new.is_empty() {
        let (types, ids) = columns(&new);
        let mut sql = Sql::new(
            "-- crm.record_links.insert\nINSERT INTO crm.record_links (to_type, to_id, from_type, from_id) SELECT t.type, t.id, ",
        );
        sql.bind(from.name).push(", ").bind(id);
        sql.push(" FROM unnest(").bind(types).push("::text[], ");
        sql.bind(ids)
            .push("::uuid[]) AS t (type, id) ON CONFLICT DO NOTHING");
        sql.execute(work.tx).await?;
    }
    Ok(())
}

/// Something happened with these records: their `last_activity_at` goes forward, never back. Neither their version nor
/// their time of change does: nobody edited them.
pub(crate) async fn touch(
    work: &mut Work<'_>,
    links: &[Link],
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    for kind in LinkType::ALL {
        let mut ids = ids(links.iter(), kind);
        if ids.is_empty() {
            continue;
        }
        // In one order: two activities about the same records wait for each other and never in a circle.
        ids.sort_unstable();
        let table = kind.record().table;
        let mut sql = Sql::new(format!(
            "-- {table}.touch\nUPDATE {table} SET last_activity_at = "
        ));
        sql.bind(at)
            .push(" WHERE id IN (SELECT id FROM ")
            .push(table);
        sql.push(" WHERE id = ANY(").bind(ids);
        sql.push(") AND (last_activity_at IS NULL OR last_activity_at < ")
            .bind(at);
        sql.push(") ORDER BY id FOR NO KEY UPDATE)");
        sql.execute(work.tx).await?;
    }
    Ok(())
}

fn ids<'a>(links: impl Iterator<Item = &'a Link>, kind: LinkType) -> Vec<Uuid> {
    links
        .filter(|link| link.kind == kind)
        .map(|link| link.id)
        .collect()
}
