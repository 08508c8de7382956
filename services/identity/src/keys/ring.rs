//! The keys at hand.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use aws_lc_rs::digest;
use bz_auth::{Claims, IdTokenKey, JwkSet, SigningKey, Verifier, mint::KeyError};
use bz_kernel::{ExposeSecret, SecretString};
use bz_service::Core;
use bz_tenant::SystemTx;
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;

use super::{
    Algorithm, PrivateKey, State, StoredKey,
    rotation::{self, Step},
    seal::Sealer,
    store,
};

/// More steps than can be due at once; a bound for a loop that must end.
const MOST_STEPS: usize = 16;

/// The signing keys, read again every minute. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<Inner>);

struct Inner {
    core: Core,
    sealer: Sealer,
    /// Verifies access tokens that are for the provider's own endpoints.
    provider: Verifier,
    current: RwLock<Arc<Keys>>,
    /// Held while the keys are read again, so that one key of ID tokens is made at a time.
    refreshing: tokio::sync::Mutex<()>,
}

/// The keys of a moment.
pub(crate) struct Keys {
    active: SigningKey,
    id_token: Option<IdTokenKey>,
    /// All keys of ID tokens that are published, for hints.
    id_tokens: Vec<IdTokenKey>,
    is_id_token_key_due: bool,
    jwks: JwkSet,
    /// The JWKS document.
    pub(crate) document: Vec<u8>,
    /// Its strong `ETag`.
    pub(crate) etag: String,
}

impl Keys {
    /// Signs an access token.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<SecretString, KeyError> {
        self.active.sign(claims)
    }

    /// The claims of an ID token that one of the published keys signed, however old it is.
    pub(crate) fn read_hint<T: DeserializeOwned>(&self, token: &str, issuer: &str) -> Option<T> {
        self.id_tokens
            .iter()
            .find_map(|key| key.read_hint(token, issuer))
    }
}

impl KeyRing {
    /// Reads the keys, or makes the first one of access tokens.
    ///
    /// # Errors
    /// When the database does not answer, or the keys were sealed under another platform secret.
    pub(crate) async fn load(core: Core) -> anyhow::Result<Self> {
        let sealer = Sealer::new(&core.secret, &core.sources.rng);
        let issuer = core.issuer.clone();
        let provider = Verifier::local_for(issuer.clone(), issuer, core.sources.clock.clone());
        let keys = read(&core, &sealer, None).await?;
        install(&core, &provider, &keys).await?;
        Ok(Self(Arc::new(Inner {
            core,
            sealer,
            provider,
            current: RwLock::new(Arc::new(keys)),
            refreshing: tokio::sync::Mutex::default(),
        })))
    }

    /// The keys at hand.
    pub(crate) fn current(&self) -> Arc<Keys> {
        Arc::clone(
            &self
                .0
                .current
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Verifies access tokens that are for the provider's own endpoints, which all tokens of applications are.
    pub(crate) fn provider(&self) -> &Verifier {
        &self.0.provider
    }

    /// The key that signs ID tokens. Made now when nobody has made it: that happens once in an installation.
    ///
    /// # Errors
    /// As [`KeyRing::refresh`].
    pub(crate) async fn id_token_key(&self) -> anyhow::Result<IdTokenKey> {
        if let Some(key) = &self.current().id_token {
            return Ok(key.clone());
        }
        self.refresh().await?;
        self.current()
            .id_token
            .clone()
            .context("no key signs ID tokens")
    }

    /// Takes the steps that are due and reads the keys again.
    ///
    /// # Errors
    /// As [`KeyRing::load`]; the keys at hand stay.
    pub(crate) async fn refresh(&self) -> anyhow::Result<()> {
        let Inner {
            core,
            sealer,
            provider,
            current,
            refreshing,
        } = &*self.0;
        let _turn = refreshing.lock().await;
        let mut keys = read(core, sealer, None).await?;
        if keys.is_id_token_key_due {
            // Made without a transaction; whichever replica stores its key first wins, and the others drop theirs.
            keys = read(core, sealer, Some(generate_id_token_key().await?)).await?;
        }
        install(core, provider, &keys).await?;
        *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "one at a time, under the lock of KeyRing::refresh"
)]
async fn generate_id_token_key() -> anyhow::Result<IdTokenKey> {
    Ok(tokio::task::spawn_blocking(IdTokenKey::generate).await??)
}

/// Lets this process's verifiers know the keys, once each of them has shown that it signs what is then accepted.
async fn install(core: &Core, provider: &Verifier, keys: &Keys) -> anyhow::Result<()> {
    core.verifier.install(&keys.jwks);
    provider.install(&keys.jwks);
    let (sources, issuer) = (&core.sources, &core.issuer);
    let claims = Claims::of_service(
        issuer,
        "self-test",
        "",
        sources.id(),
        sources.now(),
        TimeDelta::seconds(1),
    );
    let token = keys.sign(&claims)?;
    core.verifier
        .verify(token.expose_secret())
        .await
        .context("the signing key of access tokens failed its test")?;
    if let Some(key) = &keys.id_token {
        let token = key.sign(&claims)?;
        key.read_hint::<Claims>(token.expose_secret(), issuer)
            .context("the signing key of ID tokens failed its test")?;
    }
    Ok(())
}

/// Reads all keys after what is due was done. A key of ID tokens is stored only if one was made and is needed.
async fn read(core: &Core, sealer: &Sealer, fresh: Option<IdTokenKey>) -> anyhow::Result<Keys> {
    let now = core.sources.now();
    let mut tx = core.db.system().await?;
    let mut stored = store::list(&mut tx, sealer).await?;
    if due(&stored, now, fresh.is_some()).is_some() {
        store::lock(&mut tx).await?;
        stored = rotate(core, sealer, &mut tx, fresh).await?;
        tx.commit().await?;
    }
    let is_id_token_key_due = due(&stored, now, true).is_some();
    let jwks = JwkSet {
        keys: stored.iter().map(|key| key.key.to_jwk()).collect(),
    };
    let (mut active, mut id_token, mut id_tokens) = (None, None, Vec::new());
    for StoredKey { key, state, .. } in stored {
        match key {
            PrivateKey::Access(key) if state == State::Active => active = Some(*key),
            PrivateKey::Access(_) => {}
            PrivateKey::Id(key) => {
                id_tokens.push(key.clone());
                if state == State::Active {
                    id_token = Some(key);
                }
            }
        }
    }
    let document = serde_json::to_vec(&jwks)?;
    let hash = digest::digest(&digest::SHA256, &document);
    Ok(Keys {
        active: active.context("no signing key is active")?,
        id_token,
        id_tokens,
        is_id_token_key_due,
        jwks,
        document,
        etag: format!("\"{}\"", hex::encode(&hash.as_ref()[..16])),
    })
}

/// The first step that is due. A key of ID tokens takes so long to make that one must be there already.
fn due(
    stored: &[StoredKey],
    now: DateTime<Utc>,
    has_id_token_key: bool,
) -> Option<(Algorithm, Step)> {
    let of = |algorithm| {
        rotation::due_of(stored, algorithm, now)
            .filter(|step| {
                let creates = matches!(step, Step::CreateActive | Step::CreateNext);
                !creates || algorithm == Algorithm::EdDsa || has_id_token_key
            })
            .map(|step| (algorithm, step))
    };
    of(Algorithm::EdDsa).or_else(|| of(Algorithm::Rs256))
}

/// Takes every step that is due. Read again under the lock: somebody else may have taken them.
async fn rotate(
    core: &Core,
    sealer: &Sealer,
    tx: &mut SystemTx,
    mut fresh: Option<IdTokenKey>,
) -> anyhow::Result<Vec<StoredKey>> {
    let now = core.sources.now();
    for _ in 0..MOST_STEPS {
        let stored = store::list(tx, sealer).await?;
        let Some((algorithm, step)) = due(&stored, now, fresh.is_some()) else {
            return Ok(stored);
        };
        tracing::info!(signing_keys.algorithm = ?algorithm, signing_keys.step = ?step, "the signing keys change");
        let mut make = || match (algorithm, fresh.take()) {
            (Algorithm::Rs256, Some(key)) => Ok(PrivateKey::Id(key)),
            (_, unused) => {
                fresh = unused;
                SigningKey::generate(&core.sources.rng)
                    .map(Box::new)
                    .map(PrivateKey::Access)
            }
        };
        match step {
            Step::CreateActive => insert(tx, sealer, make()?, State::Active, now).await?,
            Step::CreateNext => insert(tx, sealer, make()?, State::Next, now).await?,
            Step::Activate { kid } => store::activate(tx, &kid, now).await?,
            Step::Succeed {
                retire,
                activate,
                expires_at,
            } => {
                store::retire(tx, &retire, now, expires_at).await?;
                store::activate(tx, &activate, now).await?;
            }
            Step::Delete { kid } => store::delete(tx, &kid).await?,
        }
    }
    anyhow::bail!("the signing keys do not come to rest")
}

async fn insert(
    tx: &mut SystemTx,
    sealer: &Sealer,
    key: PrivateKey,
    state: State,
    created_at: DateTime<Utc>,
) -> anyhow::Result<()> {
    let key = StoredKey {
        key,
        state,
        created_at,
        activated_at: (state == State::Active).then_some(created_at),
        expires_at: None,
    };
    store::insert(tx, sealer, &key).await?;
    Ok(())
}
