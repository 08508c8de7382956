//! The records of one person: those of the address, what they became or came from, and what was merged into them.

use bz_tenant::{DbError, TenantTx};
use sqlx::{query_as, query_scalar};
use uuid::Uuid;

use super::Subject;
use crate::{
    normal,
    records::{ALL, RecordType},
};

/// The most rounds of looking for further records: address, conversion, merge and back.
const MOST_ROUNDS: usize = 8;

/// The types whose records are people: those that have an e-mail address.
pub(super) fn types() -> impl Iterator<Item = &'static RecordType> {
    ALL.into_iter()
        .filter(|record| record.field("email").is_some())
}

/// A person, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Normalised addresses.
    pub emails: Vec<String>,
    /// Type and id of records, those in the trash included.
    pub records: Vec<(&'static RecordType, Uuid)>,
}

impl Person {
    /// Looks for everything that is the person's. What was erased before is not.
    pub(super) async fn find(tx: &mut TenantTx, subject: &Subject) -> Result<Self, DbError> {
        let mut person = Self::default();
        person
            .emails
            .extend(subject.email.as_deref().and_then(normal::email));
        if let Some(named) = &subject.record
            && let Some(record) = types().find(|record| record.name == named.r#type)
        {
            person.see(tx, record, "id = ANY($1)", &[named.id]).await?;
        }
        for _ in 0..MOST_ROUNDS {
            let known = (person.emails.len(), person.records.len());
            person.further(tx).await?;
            if known == (person.emails.len(), person.records.len()) {
                break;
            }
        }
        Ok(person)
    }

    /// The ids of the records of a type.
    pub(super) fn ids(&self, record: &RecordType) -> Vec<Uuid> {
        let of_type = self
            .records
            .iter()
            .filter(|(kind, _)| kind.name == record.name);
        of_type.map(|(_, id)| *id).collect()
    }

    /// All ids.
    pub(super) fn all_ids(&self) -> Vec<Uuid> {
        self.records.iter().map(|(_, id)| *id).collect()
    }

    async fn further(&mut self, tx: &mut TenantTx) -> Result<(), DbError> {
        let all = self.all_ids();
        for record in types() {
            self.of_addresses(tx, record).await?;
            self.see(tx, record, "merged_into = ANY($1)", &all).await?;
            // What it became or came from: columns of this type that name records of the others, and the other way round.
            for other in types().filter(|other| other.name != record.name) {
                let column = format!("{}_id", other.name);
                if record.field(&column).is_some() {
                    let here = format!("{column} = ANY($1)");
                    self.see(tx, record, &here, &self.ids(other)).await?;
                    let there = format!(
                        "id IN (SELECT {column} FROM {} WHERE id = ANY($1))",
                        record.table
                    );
                    self.see(tx, other, &there, &self.ids(record)).await?;
                }
            }
        }
        Ok(())
    }

    async fn of_addresses(
        &mut self,
        tx: &mut TenantTx,
        record: &'static RecordType,
    ) -> Result<(), DbError> {
        // Further addresses stand in a list, which has no index: it is looked through.
        let others = match record.field("emails") {
            Some(_) => {
                " OR EXISTS (SELECT 1 FROM jsonb_array_elements(t.emails) AS e WHERE lower(e ->> 'value') = ANY($1))"
            }
            None => "",
        };
        let sql = format!(
            "-- crm.privacy.of_addresses\nSELECT id FROM {} AS t WHERE email_norm = ANY($1){others}",
            record.table
        );
        let ids: Vec<Uuid> = query_scalar(&sql)
            .bind(self.emails.clone())
            .fetch_all(tx.conn())
            .await?;
        self.see(tx, record, "id = ANY($1)", &ids).await
    }

    /// Adds the records that pass a condition, and their addresses.
    async fn see(
        &mut self,
        tx: &mut TenantTx,
        record: &'static RecordType,
        condition: &str,
        ids: &[Uuid],
    ) -> Result<(), DbError> {
        if ids.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "-- crm.privacy.see\n\
             SELECT t.id, t.email_norm FROM {} AS t WHERE {condition} AND NOT EXISTS (\
             SELECT 1 FROM crm.erased_records AS e WHERE e.record_type = $2 AND e.record_id = t.id)",
            record.table
        );
        let rows: Vec<(Uuid, Option<String>)> = query_as(&sql)
            .bind(ids)
            .bind(record.name)
            .fetch_all(tx.conn())
            .await?;
        for (id, email) in rows {
            if !self.records.iter().any(|(_, known)| *known == id) {
                self.records.push((record, id));
            }
            self.emails
                .extend(email.filter(|email| !self.emails.contains(email)));
        }
        Ok(())
    }
}
