//! Answers that are kept. A key has the version of the tenant's data in it, so that a write makes every older answer
//! unreachable: there is nothing to invalidate, and nothing that is kept is stale.
//!
//! First in this process, then in Redis, which may be missing. Problems are not kept.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use bz_events::Redis;
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_service::Core;
use bz_tenant::{TenantScope, TenantTx};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use moka::sync::Cache;
use serde_json::json;

use super::engine::{Effort, answer, plans};
use super::head::{self, Head};
use super::plan::Plan;
use super::{Frame, Query, Range, assemble};
use crate::catalogue::Catalogue;

/// Who may read which rows: one more whenever that changes. Everybody who may read metrics reads all of the tenant's.
const POLICY: u32 = 1;
/// The most memory of this process for answers, about.
const MEMORY: u64 = 16 * 1024 * 1024;
/// How long answers that nobody asks for stay.
const IDLE: Duration = Duration::from_secs(600);
/// How long Redis keeps an answer.
const REDIS_SECONDS: u64 = 3_600;
/// The largest compressed answer that Redis is given, and the largest that is taken from it, unpacked.
const MAX_PACKED: usize = 1024 * 1024;
const MAX_UNPACKED: u64 = 32 * 1024 * 1024;

/// Answers questions, out of the cache where the same was asked of the same data. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    core: Core,
    kept: Cache<Key, Arc<Frame>>,
}

/// The name of an answer: of one tenant, of one version of its data.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key([u8; 32]);

/// Answers to several questions, all of one version of the data.
#[derive(Debug)]
pub struct Answers {
    /// The version of the tenant's data.
    pub data_version: i64,
    /// The same for the same questions of the same data, as long as they mean the same days: an entity tag.
    pub tag: String,
    /// One for each question.
    pub frames: Vec<Result<Frame, Problem>>,
}

/// What was planned, each with its key, and the answers that are known.
struct Asked {
    head: Head,
    plans: Vec<Result<Plan, Problem>>,
    keys: Vec<Option<Key>>,
}

impl Engine {
    /// An engine with an empty cache.
    #[must_use]
    pub fn new(core: Core) -> Self {
        let kept = Cache::builder()
            .weigher(|_, frame: &Arc<Frame>| weight(frame))
            .max_capacity(MEMORY)
            .time_to_idle(IDLE)
            .build();
        Self { core, kept }
    }

    /// Answers one question.
    ///
    /// # Errors
    /// 422 when it cannot be answered as it is asked; when the database cannot be reached.
    pub async fn answer(&self, scope: &TenantScope, query: &Query) -> Result<Frame, Problem> {
        let answers = self.answer_all(scope, std::slice::from_ref(query)).await?;
        let first = answers.frames.into_iter().next();
        first.unwrap_or_else(|| Err(Problem::internal("no answer to a question")))
    }

    /// The tag that the answers would have now, without counting anything.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tag(&self, scope: &TenantScope, queries: &[Query]) -> Result<String, Problem> {
        let mut tx = self.core.db.read(scope).await?;
        Ok(tag(&self.ask(&mut tx, scope, queries).await?.keys))
    }

    /// Answers several questions from one snapshot.
    ///
    /// # Errors
    /// When the database cannot be reached. A question that cannot be answered has its own problem in the answers.
    pub async fn answer_all(
        &self,
        scope: &TenantScope,
        queries: &[Query],
    ) -> Result<Answers, Problem> {
        let mut tx = self.core.db.snapshot(scope).await?;
        let mut asked = self.ask(&mut tx, scope, queries).await?;
        let mut known = self.remembered(&asked.keys);
        if asked.lacks(&known) && self.core.redis.is_configured() {
            // No transaction waits for Redis.
            drop(tx);
            self.recall(scope.tenant(), &asked.keys, &mut known).await;
            if !asked.lacks(&known) {
                return Ok(asked.told(known));
            }
            tx = self.core.db.snapshot(scope).await?;
            let again = self.ask(&mut tx, scope, queries).await?;
            let before = std::mem::replace(&mut asked, again);
            if asked.keys != before.keys {
                // All answers are of one version and one moment.
                known = self.remembered(&asked.keys);
            }
        }
        if asked.lacks(&known) {
            self.count(&mut tx, scope, &mut asked, &mut known).await;
        }
        drop(tx);
        Ok(asked.told(known))
    }

    async fn ask(
        &self,
        tx: &mut TenantTx,
        scope: &TenantScope,
        queries: &[Query],
    ) -> Result<Asked, Problem> {
        let head = head::load(tx).await?;
        let plans = plans(&head, self.core.sources.now(), queries);
        let keys = plans
            .iter()
            .map(|plan| {
                plan.as_ref()
                    .ok()
                    .map(|plan| key(scope.tenant(), &head, plan))
            })
            .collect();
        Ok(Asked { head, plans, keys })
    }

    fn remembered(&self, keys: &[Option<Key>]) -> Vec<Option<Arc<Frame>>> {
        keys.iter()
            .map(|key| self.kept.get(key.as_ref()?))
            .collect()
    }

    /// Asks Redis for what is not known. Whatever goes wrong there, the answer is counted.
    async fn recall(
        &self,
        tenant: TenantId,
        keys: &[Option<Key>],
        known: &mut [Option<Arc<Frame>>],
    ) {
        let missing = |known: &[Option<Arc<Frame>>]| -> Vec<(usize, Key)> {
            let both = keys.iter().zip(known).enumerate();
            both.filter_map(|(n, (key, known))| Some((n, (*key)?)).filter(|_| known.is_none()))
                .collect()
        };
        let missing = missing(known);
        let names: Vec<String> = missing
            .iter()
            .map(|(_, key)| key.in_redis(tenant))
            .collect();
        let mut redis: Redis = self.core.redis.clone();
        let found: Result<Vec<Option<Vec<u8>>>, _> =
            redis::cmd("MGET").arg(names).query_async(&mut redis).await;
        for ((n, key), packed) in missing.into_iter().zip(found.unwrap_or_default()) {
            if let Some(frame) = packed.as_deref().and_then(unpack) {
                let frame = Arc::new(frame);
                self.kept.insert(key, Arc::clone(&frame));
                known[n] = Some(frame);
            }
        }
    }

    /// Counts what is not known, and keeps it.
    async fn count(
        &self,
        tx: &mut TenantTx,
        scope: &TenantScope,
        asked: &mut Asked,
        known: &mut [Option<Arc<Frame>>],
    ) {
        let unknown: Vec<usize> = (0..known.len())
            .filter(|n| known[*n].is_none() && asked.plans[*n].is_ok())
            .collect();
        let taken = unknown.iter().map(|n| {
            let taken = Err(Problem::internal(
                "a question that was taken to be answered",
            ));
            std::mem::replace(&mut asked.plans[*n], taken)
        });
        let frames = answer(tx, taken.collect(), Effort::AtOnce).await;
        let mut fresh = Vec::new();
        for (n, frame) in unknown.into_iter().zip(frames) {
            match (frame, asked.keys[n]) {
                (Ok(frame), Some(key)) => {
                    let frame = Arc::new(frame);
                    self.kept.insert(key, Arc::clone(&frame));
                    fresh.push((key, Arc::clone(&frame)));
                    known[n] = Some(frame);
                    asked.keys[n] = Some(key);
                }
                (Ok(_), None) => {}
                (Err(problem), _) => asked.plans[n] = Err(problem),
            }
        }
        self.remember_elsewhere(scope.tenant(), fresh);
    }

    /// Gives Redis what was counted, after the answer.
    fn remember_elsewhere(&self, tenant: TenantId, fresh: Vec<(Key, Arc<Frame>)>) {
        if fresh.is_empty() || !self.core.redis.is_configured() {
            return;
        }
        let mut redis: Redis = self.core.redis.clone();
        self.core.tasks.spawn(async move {
            let mut pipeline = redis::pipe();
            for (key, frame) in fresh {
                if let Some(packed) = pack(&frame) {
                    pipeline
                        .cmd("SET")
                        .arg(key.in_redis(tenant))
                        .arg(packed)
                        .arg("EX")
                        .arg(REDIS_SECONDS)
                        .ignore();
                }
            }
            // Whoever asks next counts again.
            let _: Result<(), _> = pipeline.query_async(&mut redis).await;
        });
    }
}

impl Asked {
    /// Whether a question that can be answered has no answer yet.
    fn lacks(&self, known: &[Option<Arc<Frame>>]) -> bool {
        self.plans
            .iter()
            .zip(known)
            .any(|(plan, known)| plan.is_ok() && known.is_none())
    }

    /// The answers. A plan that is still there was not needed: its answer was known before.
    fn told(self, known: Vec<Option<Arc<Frame>>>) -> Answers {
        let frames = self
            .plans
            .into_iter()
            .zip(known)
            .map(|(plan, known)| match (plan, known) {
                (Ok(plan), Some(frame)) => {
                    let mut frame = Frame::clone(&frame);
                    frame.meta = assemble::meta(&plan, frame.meta.truncated);
                    frame.meta.cached = true;
                    Ok(frame)
                }
                (Err(_), Some(frame)) => Ok(Frame::clone(&frame)),
                (Err(problem), None) => Err(problem),
                (Ok(_), None) => Err(Problem::internal("a question without an answer")),
            });
        Answers {
            data_version: self.head.version,
            tag: tag(&self.keys),
            frames: frames.collect(),
        }
    }
}

/// The one place where keys are made: the tenant, the database and the version of the tenant's data in it, those of the
/// catalogue and of who may read what, the question with its days and instants resolved.
fn key(tenant: TenantId, head: &Head, plan: &Plan) -> Key {
    let mut query = plan.query.clone();
    query.range = Range::Days {
        from: plan.window.span.from,
        to: plan.window.span.to,
    };
    query.timezone = Some(plan.window.zone.name().to_owned());
    for filter in &mut query.filters {
        filter.values.sort_unstable();
        filter.values.dedup();
    }
    let instants = |window: &super::window::Window| {
        json!([
            window.span.from,
            window.span.to,
            window.start(),
            window.end,
            window.cut
        ])
    };
    let started = plan
        .window
        .pieces
        .iter()
        .filter(|piece| piece.start <= plan.now)
        .count();
    let named = json!({
        "tenant": tenant,
        "database": head.origin,
        "version": head.version,
        "catalogue": Catalogue::builtin().version(),
        "policy": POLICY,
        "query": query,
        "currency": plan.currency,
        "window": instants(&plan.window),
        "compared": plan.compared.as_ref().map(instants),
        "started": started,
        "partial": plan.is_partial(),
    });
    let mut key = Key([0; 32]);
    key.0
        .copy_from_slice(digest::digest(&digest::SHA256, named.to_string().as_bytes()).as_ref());
    key
}

impl Key {
    fn in_redis(self, tenant: TenantId) -> String {
        format!("bz:{tenant}:analytics:frame:{}", hex::encode(self.0))
    }
}

fn tag(keys: &[Option<Key>]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for key in keys {
        hash.update(&key.map_or([0; 32], |key| key.0));
    }
    hex::encode(&hash.finish().as_ref()[..16])
}

/// Bytes of an answer, about.
fn weight(frame: &Frame) -> u32 {
    let cells = frame.columns.len() * (frame.rows.len() + 1);
    u32::try_from(1_000 + cells * 150).unwrap_or(u32::MAX)
}

fn pack(frame: &Frame) -> Option<Vec<u8>> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&serde_json::to_vec(frame).ok()?).ok()?;
    packer
        .finish()
        .ok()
        .filter(|packed| packed.len() <= MAX_PACKED)
}

fn unpack(packed: &[u8]) -> Option<Frame> {
    let mut text = Vec::new();
    DeflateDecoder::new(packed)
        .take(MAX_UNPACKED)
        .read_to_end(&mut text)
        .ok()?;
    serde_json::from_slice(&text).ok()
}
