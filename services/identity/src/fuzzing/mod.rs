//! What strangers send, read by the functions that read it in production. `scripts/fuzz` calls these with millions of
//! inputs, a test with those in `fuzz/corpus`. Each function panics when something that must always hold does not.

mod addresses;
mod credentials;
mod tokens;

pub use self::{
    addresses::{email, redirect_uri},
    credentials::{api_key, credential, cursor, refresh_token},
    tokens::{access_token, client_assertion},
};
pub use crate::{
    passwords::fuzzing::stored_hash,
    scim::fuzzing::{scim_filter, scim_patch},
};

use bz_kernel::{PlatformSecret, TenantId};
use uuid::Uuid;

#[expect(
    clippy::disallowed_methods,
    reason = "nothing is looked up in a tenant here"
)]
fn tenant(n: u128) -> TenantId {
    TenantId::trusted(Uuid::from_u128(n))
}

fn platform_secret() -> PlatformSecret {
    match PlatformSecret::new("f".repeat(32).into()) {
        Ok(secret) => secret,
        Err(error) => panic!("32 characters are enough: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::PathBuf};

    /// What is done with the bytes of a corpus.
    type Target = fn(&[u8]);

    const TARGETS: [(&str, Target); 11] = [
        ("access_token", super::access_token),
        ("api_key", super::api_key),
        ("client_assertion", super::client_assertion),
        ("credential", super::credential),
        ("cursor", super::cursor),
        ("email", super::email),
        ("redirect_uri", super::redirect_uri),
        ("refresh_token", super::refresh_token),
        ("scim_filter", super::scim_filter),
        ("scim_patch", super::scim_patch),
        ("stored_hash", super::stored_hash),
    ];

    fn names(folder: &str) -> BTreeSet<String> {
        let folder = root().join(folder);
        let entries = fs::read_dir(&folder).unwrap();
        let name = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries.map(|entry| name(entry.unwrap().path())).collect()
    }

    fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
    }

    #[test]
    fn every_committed_input_is_read_without_a_surprise() {
        for (name, target) in TARGETS {
            let inputs = fs::read_dir(root().join("corpus").join(name)).unwrap();
            let mut count = 0;
            for input in inputs {
                target(&fs::read(input.unwrap().path()).unwrap());
                count += 1;
            }
            assert!(count >= 3, "{name} has {count} inputs");
        }
    }

    #[test]
    fn every_target_is_a_program_with_a_corpus_and_is_tested() {
        let known = TARGETS.map(|(name, _)| name.to_owned()).into();
        assert_eq!(names("fuzz_targets"), known);
        assert_eq!(names("corpus"), known);
    }
}
