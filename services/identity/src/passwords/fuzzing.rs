//! Stored hashes, for `crate::fuzzing`: some were made by other services, and none may cost more than it may.

use bz_kernel::SecretString;

use super::{
    admission::Memory,
    phc::{Cost, MOST_MEMORY_KIB},
    stored::Stored,
};

/// More work, in passes over a KiB, says nothing new about how a text is read.
const LITTLE_WORK: u32 = 4096;

/// A PHC string or a bcrypt hash.
pub fn stored_hash(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(stored) = Stored::parse(text, Cost::STANDARD) else {
        return;
    };
    assert!(
        stored.memory_kib(Cost::STANDARD) <= MOST_MEMORY_KIB,
        "{text:?}"
    );
    match &stored {
        Stored::Argon2(hash) => {
            assert!(hash.work() <= MOST_MEMORY_KIB * 10, "{text:?}");
            if hash.work() <= LITTLE_WORK {
                hash.matches(&SecretString::from("password"), &mut Memory::default());
            }
        }
        Stored::Bcrypt { text: kept, rounds } => {
            assert!(kept == text && (4..=14).contains(rounds), "{text:?}");
            if *rounds == 4 {
                let _known = bcrypt::verify("password", kept);
            }
        }
    }
}
