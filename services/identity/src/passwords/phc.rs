//! Argon2id in the PHC string format, with bounds on what a stored string may ask for.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use bz_kernel::{ExposeSecret, SecretString};

use super::admission::Memory;

/// Memory of a new hash: 19 MiB (OWASP Password Storage Cheat Sheet, first choice, with two passes and one lane).
pub(super) const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// What a new hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Its memory.
    pub memory_kib: u32,
    /// How often it goes through that.
    pub passes: u32,
}

impl Cost {
    /// What everybody's password is hashed with.
    pub const STANDARD: Self = Self {
        memory_kib: MEMORY_KIB,
        passes: PASSES,
    };

    /// Its work, in passes over a KiB.
    pub(super) const fn work(self) -> u32 {
        self.memory_kib * self.passes
    }

    /// # Panics
    /// When the memory is less than Argon2 needs.
    #[expect(
        clippy::expect_used,
        reason = "constants inside the limits of Argon2, and a test calls it"
    )]
    pub(super) fn params(self) -> Params {
        Params::new(self.memory_kib, self.passes, LANES, Some(OUTPUT_BYTES))
            .expect("valid parameters")
    }
}
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;
pub(super) const SALT_BYTES: usize = 16;

/// The most that a stored hash, which may have been imported, can ask for. The default of the service before this one
/// (64 MiB, three passes, four lanes) is well inside.
pub(super) const MOST_MEMORY_KIB: u32 = 128 * 1024;
const MOST_PASSES: u32 = 10;
const MOST_LANES: u32 = 16;

/// A hash of `password`.
pub(super) fn hash(
    password: &SecretString,
    salt: &[u8; SALT_BYTES],
    cost: Cost,
    memory: &mut Memory,
) -> String {
    let params = cost.params();
    let mut output = [0; OUTPUT_BYTES];
    fill(&Argon2::from(&params), password, salt, &mut output, memory);
    encode(&params, salt, &output)
}

/// A stored hash that is safe to compute.
pub(super) struct Argon2Hash {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    expected: Vec<u8>,
    /// Whether new hashes have other parameters.
    pub(super) outdated: bool,
}

impl Argon2Hash {
    /// Reads a PHC string; the error names what is wrong with it and repeats nothing of it.
    pub(super) fn parse(text: &str, new: Cost) -> Result<Self, &'static str> {
        let phc = PasswordHash::new(text).map_err(|_| "not a PHC string")?;
        if Algorithm::try_from(phc.algorithm.as_str()) != Ok(Algorithm::Argon2id) {
            return Err("not Argon2id");
        }
        if phc
            .version
            .is_some_and(|version| version != u32::from(Version::V0x13))
        {
            return Err("not version 19");
        }
        let params = Params::try_from(&phc).map_err(|_| "parameters")?;
        if params.m_cost() > MOST_MEMORY_KIB
            || params.t_cost() > MOST_PASSES
            || params.p_cost() > MOST_LANES
        {
            return Err("parameters over the limit");
        }
        let (Some(salt), Some(expected)) = (phc.salt, phc.hash) else {
            return Err("no salt or no hash");
        };
        let outdated = (params.m_cost(), params.t_cost(), params.p_cost())
            != (new.memory_kib, new.passes, LANES);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self {
            argon2,
            salt: salt.as_ref().to_vec(),
            expected: expected.as_bytes().to_vec(),
            outdated,
        })
    }

    /// A hash like a new one that no password has been found for, and none will.
    pub(super) fn unmatchable(new: Cost) -> Self {
        let argon2 = Argon2::from(&new.params());
        Self {
            argon2,
            salt: vec![0; SALT_BYTES],
            expected: vec![0; OUTPUT_BYTES],
            outdated: false,
        }
    }

    pub(super) fn memory_kib(&self) -> u32 {
        self.argon2.params().m_cost()
    }

    /// Its work, in passes over a KiB.
    pub(super) fn work(&self) -> u32 {
        let params = self.argon2.params();
        params.m_cost().saturating_mul(params.t_cost())
    }

    pub(super) fn matches(&self, password: &SecretString, memory: &mut Memory) -> bool {
        let mut output = vec![0; self.expected.len()];
        fill(&self.argon2, password, &self.salt, &mut output, memory);
        verify_slices_are_equal(&output, &self.expected).is_ok()
    }
}

/// Does as much work as `work` passes over a KiB, in the memory of a new hash at most.
pub(super) fn burn(work: u32, new: Cost, memory: &mut Memory) {
    let kib = work.clamp(Params::MIN_M_COST, new.memory_kib);
    if work < Params::MIN_M_COST {
        return;
    }
    if let Ok(params) = Params::new(kib, work.div_ceil(kib), LANES, Some(OUTPUT_BYTES)) {
        let mut output = [0; OUTPUT_BYTES];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        fill(
            &argon2,
            &SecretString::from(""),
            &[0; SALT_BYTES],
            &mut output,
            memory,
        );
        std::hint::black_box(output);
    }
}

/// Argon2 in the memory of the thread.
#[expect(
    clippy::expect_used,
    reason = "lengths were checked: the salt by its parser, the password by its rule"
)]
pub(super) fn fill(
    argon2: &Argon2<'_>,
    password: &SecretString,
    salt: &[u8],
    output: &mut [u8],
    memory: &mut Memory,
) {
    let blocks: &mut [Block] = memory.blocks(argon2.params().block_count());
    argon2
        .hash_password_into_with_memory(password.expose_secret().as_bytes(), salt, output, blocks)
        .expect("lengths inside the limits of Argon2");
}

#[expect(
    clippy::expect_used,
    reason = "constants inside the limits of the format, and a test calls it"
)]
fn encode(params: &Params, salt: &[u8], output: &[u8]) -> String {
    PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).expect("three numbers"),
        salt: Some(Salt::new(salt).expect("16 bytes")),
        hash: Some(Output::new(output).expect("32 bytes")),
    }
    .to_string()
}
