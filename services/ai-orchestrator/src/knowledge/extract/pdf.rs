//! The text of a PDF, page by page.

use std::time::Instant;

use lopdf::{DecompressError, Document, Error, LoadOptions};

use super::{Extracted, MOST_CHARACTERS, PATIENCE, Unreadable};

/// The most pages.
const MOST_PAGES: usize = 2000;
/// The most bytes of one stream, and of all that hold the document together, unpacked.
const MOST_OF_ONE: usize = 16 << 20;
const MOST_OF_ALL: usize = 128 << 20;

/// The text of a PDF.
pub(super) fn read(bytes: &[u8]) -> Result<Extracted, Unreadable> {
    let started = Instant::now();
    let packed = bytes.windows(6).filter(|word| word == b"ObjStm").count();
    let options = LoadOptions {
        max_decompressed_size: Some(MOST_OF_ONE.min(MOST_OF_ALL / packed.max(1))),
        ..LoadOptions::default()
    };
    let document = Document::load_mem_with_options(bytes, options).map_err(|error| why(&error))?;
    if document.is_encrypted() {
        return Err(Unreadable::Encrypted);
    }
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    if pages.len() > MOST_PAGES {
        return Err(Unreadable::TooLarge);
    }
    let (mut text, mut characters) = (String::new(), 0);
    for page in pages {
        if started.elapsed() > PATIENCE {
            return Err(Unreadable::TooSlow);
        }
        for part in document.extract_text_chunks_with_limit(&[page], MOST_OF_ONE) {
            match part {
                Ok(part) => {
                    characters += part.chars().count();
                    text.push_str(&part);
                }
                Err(error) => match why(&error) {
                    // A font that is not known costs its words, not the document.
                    Unreadable::Damaged => {}
                    other => return Err(other),
                },
            }
        }
        if characters > MOST_CHARACTERS {
            return Err(Unreadable::TooLarge);
        }
        text.push_str("\n\n");
    }
    Ok(Extracted { title: None, text })
}

fn why(error: &Error) -> Unreadable {
    match error {
        Error::Decompress(DecompressError::MemoryLimitExceeded { .. }) => Unreadable::TooLarge,
        Error::Decryption(_) | Error::InvalidPassword | Error::AlreadyEncrypted => {
            Unreadable::Encrypted
        }
        _ => Unreadable::Damaged,
    }
}
