//! A piece of work on records: one transaction, done for one user.

use bz_events::NewEvent;
use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Facts, Fields, Record, changes, custom, refused, sql::Sql, store};
use crate::app::AppState;

/// What a change of records needs: the service, the open transaction, and who does it. A job does its work for the user
/// who ordered it.
pub(crate) struct Work<'a> {
    /// The service.
    pub app: &'a AppState,
    /// The transaction.
    pub tx: &'a mut TenantTx,
    /// Who does it.
    pub actor: UserId,
}

/// What an event says of a record.
#[derive(Serialize)]
struct Told<'a> {
    id: Uuid,
    version: i64,
    #[serde(flatten)]
    facts: Facts<'a>,
    #[serde(flatten)]
    details: Map<String, Value>,
    /// The names of the fields that changed.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changed: &'a [String],
}

impl Work<'_> {
    /// The time of the work.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.app.core.sources.now()
    }

    /// A new id.
    pub(crate) fn id(&self) -> Uuid {
        self.app.core.sources.id()
    }

    /// Creates a record: what it needs is looked up, what follows is written, and it is told.
    pub(crate) async fn create<R: Record>(&mut self, mut wanted: R::Fields) -> Result<R, Problem> {
        custom::check::<R>(self, &mut wanted, None).await?;
        self.check_team::<R>(&wanted, None).await?;
        R::prepare(self, &mut wanted, None).await?;
        let (id, actor, now) = (self.id(), self.actor, self.now());
        let mut created: R = store::insert(self.tx, id, actor, now, &wanted)
            .await
            .map_err(|error| refused::problem(R::TYPE, error))?;
        created.written(self, None).await?;
        R::settle(std::slice::from_mut(&mut created), self).await?;
        self.tell(&created, R::TYPE.events[0], &[]).await?;
        Ok(created)
    }

    /// Changes a record that is locked. A change that changes nothing leaves it as it is.
    pub(crate) async fn update<R: Record>(
        &mut self,
        before: R,
        mut wanted: R::Fields,
    ) -> Result<R, Problem> {
        custom::check(self, &mut wanted, Some(&before)).await?;
        self.check_team(&wanted, Some(&before)).await?;
        R::prepare(self, &mut wanted, Some(&before)).await?;
        let changes = changes::between(&before.fields(), &wanted)?;
        if changes.is_empty() {
            return Ok(before);
        }
        let now = self.now();
        let after: R = store::update(self.tx, before.head().id, now, &wanted)
            .await
            .map_err(|error| refused::problem(R::TYPE, error))?;
        after.written(self, Some(&before)).await?;
        let names: Vec<String> = changes.keys().cloned().collect();
        self.note::<R>(before.head().id, "updated", changes, None)
            .await?;
        let kind = after.change_event(&before).unwrap_or(R::TYPE.events[1]);
        self.tell(&after, kind, &names).await?;
        Ok(after)
    }

    /// A team that a record is given must be there.
    async fn check_team<R: Record>(
        &mut self,
        wanted: &R::Fields,
        before: Option<&R>,
    ) -> Result<(), Problem> {
        let Some(team) = wanted.common().team_id else {
            return Ok(());
        };
        if before.is_some_and(|before| before.fields().common().team_id == Some(team)) {
            return Ok(());
        }
        let mut sql =
            Sql::new("-- crm.teams.exists\nSELECT EXISTS (SELECT 1 FROM crm.teams WHERE id = ");
        sql.bind(team.as_uuid()).push(")");
        let (exists,): (bool,) = sql.fetch_one(self.tx).await?;
        if exists {
            Ok(())
        } else {
            Err(Problem::invalid(
                "/team_id",
                "not_found",
                "must be the id of a team",
            ))
        }
    }

    /// Puts a record that is locked into the trash.
    pub(crate) async fn delete<R: Record>(&mut self, record: &R) -> Result<(), Problem> {
        let id = record.head().id;
        let now = self.now();
        store::set_deleted::<R>(self.tx, id, now, Some(now)).await?;
        self.note::<R>(id, "deleted", changes::Changes::default(), None)
            .await?;
        self.tell(record, R::TYPE.events[2], &[]).await?;
        Ok(())
    }

    /// Takes a record that is locked out of the trash.
    pub(crate) async fn restore<R: Record>(&mut self, record: &R) -> Result<R, Problem> {
        let id = record.head().id;
        let now = self.now();
        let restored = store::set_deleted::<R>(self.tx, id, now, None)
            .await
            .map_err(|error| refused::problem(R::TYPE, error))?;
        self.note::<R>(id, "restored", changes::Changes::default(), None)
            .await?;
        self.tell(&restored, R::TYPE.events[3], &[]).await?;
        Ok(restored)
    }

    /// Writes down who changed what of a record.
    pub(crate) async fn note<R: Record>(
        &mut self,
        record: Uuid,
        action: &'static str,
        changes: changes::Changes,
        reason: Option<&str>,
    ) -> Result<(), DbError> {
        let note = self.noted::<R>(record, action, changes, reason);
        changes::insert(self.tx, note).await
    }

    /// The same, to be written with others.
    pub(crate) fn noted<'n, R: Record>(
        &self,
        record: Uuid,
        action: &'static str,
        changes: changes::Changes,
        reason: Option<&'n str>,
    ) -> changes::Note<'n> {
        changes::Note {
            id: self.id(),
            record_type: R::TYPE.name,
            record,
            action,
            actor: Some(self.actor),
            at: self.now(),
            changes,
            reason,
        }
    }

    /// Tells the other services, and everything in this one that follows the feed.
    pub(crate) async fn tell<R: Record>(
        &mut self,
        record: &R,
        kind: &'static str,
        changed: &[String],
    ) -> Result<(), DbError> {
        let head = record.head();
        let mut details = record.details(self).await?;
        for known in ["version", "status"] {
            details.remove(known);
        }
        let data = Told {
            id: head.id,
            version: head.version,
            facts: record.facts(),
            details,
            changed,
        };
        let event = NewEvent {
            kind,
            actor: Some(self.actor),
            data,
        };
        bz_events::append(self.tx, &self.app.core.sources, event).await?;
        Ok(())
    }
}
