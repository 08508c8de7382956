//! Anchors: what the head of a chain was, under a code that the database's owner cannot make.

use aws_lc_rs::hmac;
use bz_kernel::{PlatformSecret, TenantId};
use bz_tenant::{DbError, TenantScope};
use chrono::TimeDelta;
use uuid::Uuid;

use super::store::{self, Anchor, Head};
use crate::app::AppState;

/// A tenant whose log grows is anchored this often.
const EVERY: TimeDelta = TimeDelta::days(1);
/// Tenants that are looked at at once.
const BATCH: i32 = 500;

/// Makes and checks the codes.
pub(super) struct AnchorKey(hmac::Key);

impl AnchorKey {
    pub(super) fn new(secret: &PlatformSecret) -> Self {
        Self(hmac::Key::new(
            hmac::HMAC_SHA256,
            &secret.derive("audit-anchors"),
        ))
    }

    fn seal(&self, tenant: TenantId, head: Head) -> Anchor {
        let mac = hmac::sign(&self.0, &message(tenant, head.seq, &head.hash));
        Anchor {
            seq: head.seq,
            hash: head.hash,
            mac: mac.as_ref().to_vec(),
        }
    }

    /// Whether this installation made the anchor for this tenant.
    pub(super) fn made(&self, tenant: TenantId, anchor: &Anchor) -> bool {
        let message = message(tenant, anchor.seq, &anchor.hash);
        hmac::verify(&self.0, &message, &anchor.mac).is_ok()
    }
}

fn message(tenant: TenantId, seq: i64, hash: &[u8]) -> Vec<u8> {
    format!("{tenant}:{seq}:{}", hex::encode(hash)).into_bytes()
}

/// Anchors every tenant whose log has grown and that was not anchored for a day. Each anchor is a line in the log too,
/// which leaves the machine with the other lines.
pub(crate) async fn anchor_all(app: &AppState) -> Result<usize, DbError> {
    let key = AnchorKey::new(&app.core.secret);
    let (now, mut after, mut anchored) = (app.core.sources.now(), Uuid::nil(), 0);
    loop {
        let mut tx = app.core.db.system().await?;
        let heads = store::heads_to_anchor(&mut tx, now - EVERY, after, BATCH).await?;
        tx.commit().await?;
        let Some((last, _)) = heads.last() else {
            return Ok(anchored);
        };
        after = last.as_uuid();
        for (tenant, head) in heads {
            let anchor = key.seal(tenant, head);
            let scope = TenantScope::new(tenant, None);
            let mut tx = app.core.db.tenant(&scope).await?;
            let new = store::insert_anchor(&mut tx, &anchor, now).await?;
            tx.commit().await?;
            if new {
                anchored += 1;
                tell(tenant, &anchor);
            }
        }
    }
}

fn tell(tenant: TenantId, anchor: &Anchor) {
    metrics::counter!("audit_anchors_total").increment(1);
    tracing::info!(
        tenant.id = %tenant,
        audit.seq = anchor.seq,
        audit.hash = hex::encode(&anchor.hash),
        audit.mac = hex::encode(&anchor.mac),
        "the audit log was anchored"
    );
}
