use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem, Query};
use bz_kernel::TenantId;
use bz_tenant::{Db, TenantScope};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    AuditManage,
    anchor::AnchorKey,
    entry::{AuditEntry, NO_HASH},
    filter::Filter,
    store::{self, Ends},
};
use crate::app::AppState;

/// Entries that are read at once.
const PAGE: u16 = 500;
/// The most entries that one request verifies.
const MOST: i64 = 20_000;

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct VerifyAuditLog {
    /// Begin behind the entry with this number: `next_after` of the answer before; 0 when not given.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    /// Its hash is not that of its content.
    Changed,
    /// It is not there.
    Missing,
    /// It does not refer to the entry before it.
    Unlinked,
    /// The stored end of the log is not the log's end.
    Head,
    /// It is not what it was when it was anchored.
    Anchor,
}

/// The first thing that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Broken {
    /// The number of the entry.
    seq: i64,
    /// What is wrong with it.
    fault: Fault,
}

/// What a verification found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Verification {
    /// Whether nothing is wrong with the entries that were verified.
    intact: bool,
    /// How many entries this request verified.
    verified: i64,
    /// The number of the newest entry.
    last_seq: i64,
    /// The first thing that is wrong.
    broken: Option<Broken>,
    /// Where the next request goes on; `null` when the end was reached or something is wrong.
    next_after: Option<i64>,
}

/// Verify the chain of the audit log, at most 20,000 entries a request.
#[utoipa::path(
    get, path = "/api/audit-log/verify", tag = "audit log",
    security(("bearer" = ["audit:manage"])),
    params(VerifyAuditLog),
    responses(
        (status = 200, description = "What was found", body = Verification),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn verify_audit_log(
    State(app): State<AppState>,
    caller: Can<AuditManage>,
    Query(query): Query<VerifyAuditLog>,
) -> Result<Json<Verification>, Problem> {
    let after = query.after.unwrap_or(0);
    if after < 0 {
        return Err(Problem::invalid_parameter(
            "after",
            "out_of_range",
            "must not be negative",
        ));
    }
    let walk = Walk {
        db: &app.core.db,
        scope: caller.scope,
        tenant: caller.tenant(),
        key: AnchorKey::new(&app.core.secret),
        at: after,
        hash: NO_HASH.to_vec(),
    };
    Ok(Json(walk.verification().await?))
}

/// How far a verification is: the number and the hash of the entry before the next one.
struct Walk<'a> {
    db: &'a Db,
    scope: TenantScope,
    tenant: TenantId,
    key: AnchorKey,
    at: i64,
    hash: Vec<u8>,
}

impl Walk<'_> {
    async fn verification(mut self) -> Result<Verification, Problem> {
        let after = self.at;
        let mut tx = self.db.read(&self.scope).await?;
        let ends = store::ends(&mut tx).await?;
        drop(tx);
        let head = ends.head_seq.unwrap_or(0);
        let until = head.min(after.saturating_add(MOST));
        let mut broken = self.run(until).await?;
        if broken.is_none() && until == head {
            broken = self.end(&ends);
        }
        Ok(Verification {
            intact: broken.is_none(),
            verified: (self.at - after).max(0),
            last_seq: head,
            next_after: (broken.is_none() && until < head).then_some(until),
            broken,
        })
    }

    /// Walks up to an entry that must be there.
    async fn run(&mut self, until: i64) -> Result<Option<Broken>, Problem> {
        if self.at > 0 && self.at <= until && !self.start().await? {
            return Ok(broken(self.at, Fault::Missing));
        }
        while self.at < until {
            let mut tx = self.db.read(&self.scope).await?;
            let filter = Filter::default();
            let page = store::oldest(&mut tx, &filter, self.at, until, PAGE).await?;
            let last = page.last().map_or(until, |entry| entry.seq);
            let anchors = store::anchors(&mut tx, self.at, last).await?;
            drop(tx);
            let mut anchors = anchors.iter().peekable();
            if page.is_empty() {
                return Ok(broken(self.at + 1, Fault::Missing));
            }
            for entry in &page {
                if let Some(fault) = self.step(entry).map_err(Problem::internal)? {
                    return Ok(Some(fault));
                }
                if let Some(anchor) = anchors.next_if(|anchor| anchor.seq == entry.seq)
                    && (anchor.hash != entry.hash || !self.key.made(self.tenant, anchor))
                {
                    return Ok(broken(entry.seq, Fault::Anchor));
                }
            }
        }
        Ok(None)
    }

    /// Takes the hash of the entry behind which the walk starts.
    async fn start(&mut self) -> Result<bool, Problem> {
        let mut tx = self.db.read(&self.scope).await?;
        let before = store::oldest(&mut tx, &Filter::default(), self.at - 1, self.at, 1).await?;
        let Some(before) = before.into_iter().next() else {
            return Ok(false);
        };
        self.hash = before.hash;
        Ok(true)
    }

    fn step(&mut self, entry: &AuditEntry) -> serde_json::Result<Option<Broken>> {
        if entry.seq != self.at + 1 {
            return Ok(broken(self.at + 1, Fault::Missing));
        }
        if entry.computed_hash()?[..] != entry.hash {
            return Ok(broken(entry.seq, Fault::Changed));
        }
        if entry.prev_hash != self.hash {
            return Ok(broken(entry.seq, Fault::Unlinked));
        }
        self.at = entry.seq;
        self.hash.clone_from(&entry.hash);
        Ok(None)
    }

    /// Compares the end that was reached with the one that is kept and the ones that were.
    fn end(&self, ends: &Ends) -> Option<Broken> {
        let head = ends.head_seq.unwrap_or(0);
        if ends.last_seq.unwrap_or(0) > head {
            return broken(head + 1, Fault::Head);
        }
        let is_end = ends
            .head_hash
            .as_ref()
            .is_none_or(|hash| *hash == self.hash);
        if self.at == head && !is_end {
            return broken(head, Fault::Head);
        }
        (ends.last_anchor.unwrap_or(0) > head)
            .then(|| broken(head + 1, Fault::Anchor))
            .flatten()
    }
}

const fn broken(seq: i64, fault: Fault) -> Option<Broken> {
    Some(Broken { seq, fault })
}
