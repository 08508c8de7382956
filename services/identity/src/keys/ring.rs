//! The keys at hand.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use aws_lc_rs::digest;
use bz_auth::{Claims, JwkSet, SigningKey, mint::KeyError};
use bz_kernel::SecretString;
use bz_service::Core;
use bz_tenant::SystemTx;

use super::{
    State, StoredKey,
    rotation::{self, Step},
    seal::Sealer,
    store,
};

/// More steps than can be due at once; a bound for a loop that must end.
const MOST_STEPS: usize = 8;

/// The signing keys, read again every minute. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<Inner>);

struct Inner {
    core: Core,
    sealer: Sealer,
    current: RwLock<Arc<Keys>>,
}

/// The keys of a moment.
pub(crate) struct Keys {
    active: SigningKey,
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
}

impl KeyRing {
    /// Reads the keys, or makes the first one.
    ///
    /// # Errors
    /// When the database does not answer, or the keys were sealed under another platform secret.
    pub(crate) async fn load(core: Core) -> anyhow::Result<Self> {
        let sealer = Sealer::new(&core.secret, &core.sources.rng);
        let current = RwLock::new(Arc::new(read(&core, &sealer).await?));
        Ok(Self(Arc::new(Inner {
            core,
            sealer,
            current,
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

    /// Takes the steps that are due and reads the keys again.
    ///
    /// # Errors
    /// As [`KeyRing::load`]; the keys at hand stay.
    pub(crate) async fn refresh(&self) -> anyhow::Result<()> {
        let keys = Arc::new(read(&self.0.core, &self.0.sealer).await?);
        *self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
}

/// Reads all keys after what is due was done, and lets this process's verifier know them.
async fn read(core: &Core, sealer: &Sealer) -> anyhow::Result<Keys> {
    let mut tx = core.db.system().await?;
    let mut stored = store::list(&mut tx, sealer).await?;
    if rotation::due(&stored, core.sources.now()).is_some() {
        store::lock(&mut tx).await?;
        stored = rotate(core, sealer, &mut tx).await?;
        tx.commit().await?;
    }
    let jwks = JwkSet {
        keys: stored.iter().map(|key| key.key.to_jwk()).collect(),
    };
    core.verifier.install(&jwks);
    let active = stored
        .into_iter()
        .find(|key| key.state == State::Active)
        .context("no signing key is active")?;
    let document = serde_json::to_vec(&jwks)?;
    let etag = format!(
        "\"{}\"",
        hex::encode(&digest::digest(&digest::SHA256, &document).as_ref()[..16])
    );
    Ok(Keys {
        active: active.key,
        document,
        etag,
    })
}

/// Takes every step that is due. Read again under the lock: somebody else may have taken them.
async fn rotate(core: &Core, sealer: &Sealer, tx: &mut SystemTx) -> anyhow::Result<Vec<StoredKey>> {
    let now = core.sources.now();
    for _ in 0..MOST_STEPS {
        let stored = store::list(tx, sealer).await?;
        let Some(step) = rotation::due(&stored, now) else {
            return Ok(stored);
        };
        tracing::info!(signing_keys.step = ?step, "the signing keys change");
        match step {
            Step::CreateActive => create(core, sealer, tx, State::Active).await?,
            Step::CreateNext => create(core, sealer, tx, State::Next).await?,
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

async fn create(
    core: &Core,
    sealer: &Sealer,
    tx: &mut SystemTx,
    state: State,
) -> anyhow::Result<()> {
    let created_at = core.sources.now();
    let key = StoredKey {
        key: SigningKey::generate(&core.sources.rng)?,
        state,
        created_at,
        activated_at: (state == State::Active).then_some(created_at),
        expires_at: None,
    };
    store::insert(tx, sealer, &key).await?;
    Ok(())
}
