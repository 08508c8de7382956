//! The bytes of an upload as UTF-8: unpacked when they are packed, decoded when they are in another encoding.

use std::io::Write as _;

use bz_http::Problem;
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::write::MultiGzDecoder;

/// Unpacked text is made in steps of this many packed bytes, which never are more than some megabytes.
const PACKED: usize = 4096;

/// Makes UTF-8 of an upload, as it comes.
pub struct Text {
    packed: Packed,
    encoding: Reading,
}

enum Packed {
    Unknown(Vec<u8>),
    No,
    Yes(Box<MultiGzDecoder<Vec<u8>>>),
}

enum Reading {
    /// The first bytes, which may have a mark.
    Unknown(Vec<u8>, Option<&'static Encoding>),
    /// UTF-8 so far: the bytes of a character that is not whole, whether there was any that is not ASCII, whether the
    /// client says that it is UTF-8.
    Utf8(Vec<u8>, bool, bool),
    Other(Box<Decoder>),
}

impl Text {
    /// A reader for an encoding that the client names.
    ///
    /// # Errors
    /// 422 for one that is not known.
    pub fn new(encoding: Option<&str>) -> Result<Self, Problem> {
        let said = match encoding {
            None => None,
            Some(name) => Some(Encoding::for_label(name.as_bytes()).ok_or_else(|| {
                Problem::invalid_parameter(
                    "encoding",
                    "invalid_value",
                    "must be utf-8 or windows-1252",
                )
            })?),
        };
        Ok(Self {
            packed: Packed::Unknown(Vec::new()),
            encoding: Reading::Unknown(Vec::new(), said),
        })
    }

    /// Reads on; `out` gets the text.
    ///
    /// # Errors
    /// 422 for what is no text.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        if let Packed::Unknown(first) = &mut self.packed {
            first.extend_from_slice(bytes);
            if first.len() < 2 {
                return Ok(());
            }
            let first = std::mem::take(first);
            self.packed = if first.starts_with(&[0x1f, 0x8b]) {
                Packed::Yes(Box::new(MultiGzDecoder::new(Vec::new())))
            } else {
                Packed::No
            };
            return self.unpack(&first, out);
        }
        self.unpack(bytes, out)
    }

    /// The end of the upload.
    ///
    /// # Errors
    /// 422 for what is no text.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Problem> {
        if let Packed::Unknown(first) = &mut self.packed {
            let first = std::mem::take(first);
            self.packed = Packed::No;
            self.unpack(&first, out)?;
        }
        if let Packed::Yes(gzip) = &mut self.packed {
            gzip.try_finish().map_err(|_| not_gzip())?;
            let rest = std::mem::take(gzip.get_mut());
            self.decode(&rest, out)?;
        }
        self.decided(true, out)?;
        match &mut self.encoding {
            Reading::Utf8(rest, ..) if !rest.is_empty() => Err(not_text()),
            Reading::Utf8(..) | Reading::Unknown(..) => Ok(()),
            Reading::Other(decoder) => transcode(decoder, &[], true, out),
        }
    }

    fn unpack(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let Packed::Yes(gzip) = &mut self.packed else {
            return self.decode(bytes, out);
        };
        let mut unpacked = Vec::new();
        for part in bytes.chunks(PACKED) {
            gzip.write_all(part).map_err(|_| not_gzip())?;
            unpacked.append(gzip.get_mut());
        }
        self.decode(&unpacked, out)
    }

    fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        match &mut self.encoding {
            Reading::Unknown(first, _) => {
                first.extend_from_slice(bytes);
                self.decided(false, out)
            }
            Reading::Utf8(..) => self.utf8(bytes, out),
            Reading::Other(decoder) => transcode(decoder, bytes, false, out),
        }
    }

    /// Looks for a mark once there are enough bytes.
    fn decided(&mut self, ended: bool, out: &mut Vec<u8>) -> Result<(), Problem> {
        let Reading::Unknown(first, said) = &mut self.encoding else {
            return Ok(());
        };
        if first.len() < 3 && !ended {
            return Ok(());
        }
        let (first, said) = (std::mem::take(first), *said);
        let marked = Encoding::for_bom(&first);
        let (encoding, mark) = marked.map_or((said, 0), |(found, mark)| (Some(found), mark));
        self.encoding = match encoding {
            Some(other) if other == UTF_16LE || other == UTF_16BE || other == WINDOWS_1252 => {
                Reading::Other(Box::new(other.new_decoder_without_bom_handling()))
            }
            Some(other) if other != encoding_rs::UTF_8 => {
                return Err(Problem::invalid_parameter(
                    "encoding",
                    "invalid_value",
                    "must be utf-8 or windows-1252",
                ));
            }
            known => Reading::Utf8(Vec::new(), false, known.is_some()),
        };
        self.decode(&first[mark..], out)
    }

    fn utf8(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let Reading::Utf8(rest, foreign, sure) = &mut self.encoding else {
            return Ok(());
        };
        let mut whole = std::mem::take(rest);
        whole.extend_from_slice(bytes);
        let (good, bad) = match std::str::from_utf8(&whole) {
            Ok(_) => (whole.len(), false),
            Err(error) => (error.valid_up_to(), error.error_len().is_some()),
        };
        *foreign |= !whole[..good].is_ascii();
        if bad && (*foreign || *sure) {
            return Err(not_text());
        }
        if bad {
            // Only ASCII until here, which both have in common.
            let mut decoder = WINDOWS_1252.new_decoder_without_bom_handling();
            transcode(&mut decoder, &whole, false, out)?;
            self.encoding = Reading::Other(Box::new(decoder));
            return Ok(());
        }
        checked(&whole[..good])?;
        out.extend_from_slice(&whole[..good]);
        *rest = whole.split_off(good);
        Ok(())
    }
}

fn transcode(
    decoder: &mut Decoder,
    mut bytes: &[u8],
    last: bool,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    let start = out.len();
    let mut text = String::new();
    loop {
        text.reserve(
            decoder
                .max_utf8_buffer_length(bytes.len())
                .unwrap_or(bytes.len() * 3 + 16),
        );
        let (result, read, faulty) = decoder.decode_to_string(bytes, &mut text, last);
        if faulty {
            return Err(not_text());
        }
        bytes = &bytes[read..];
        if result == CoderResult::InputEmpty {
            out.extend_from_slice(text.as_bytes());
            return checked(&out[start..]);
        }
    }
}

/// A text has no NUL; a spreadsheet that is not CSV has.
fn checked(text: &[u8]) -> Result<(), Problem> {
    if text.contains(&0) {
        return Err(not_text());
    }
    Ok(())
}

fn not_text() -> Problem {
    Problem::invalid(
        "",
        "not_text",
        "is no CSV in UTF-8; save the table as CSV (UTF-8), or name its encoding with ?encoding=windows-1252",
    )
}

fn not_gzip() -> Problem {
    Problem::invalid(
        "",
        "not_gzip",
        "begins like gzip, but cannot be unpacked; send it again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&[u8]], encoding: Option<&str>) -> Result<String, Problem> {
        let mut text = Text::new(encoding)?;
        let mut out = Vec::new();
        for part in parts {
            text.push(part, &mut out)?;
        }
        text.end(&mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn utf_8_windows_1252_and_utf_16_are_told_apart_wherever_the_parts_end() {
        let all = "name\nJosé Ünal\n";
        let bytes: Vec<&[u8]> = all.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes, None).unwrap(), all);
        assert_eq!(
            read(&[b"\xef\xbb\xbfname\n", "José".as_bytes()], None).unwrap(),
            "name\nJosé"
        );
        assert_eq!(
            read(&[b"name\n", b"Jos\xe9 \x80"], None).unwrap(),
            "name\nJosé €"
        );
        let wide: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(all.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(read(&[&wide[..5], &wide[5..]], None).unwrap(), all);
        assert_eq!(read(&[b"a\xe9"], Some("windows-1252")).unwrap(), "aé");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert!(read(&["é".as_bytes(), b"\xe9x"], None).is_err());
        assert!(read(&[b"PK\x03\x04\0\0"], None).is_err());
        assert!(read(&[b"a\xe9"], Some("utf-8")).is_err());
        assert!(read(&[b"\x1f\x8bnonsense"], None).is_err());
        assert!(read(&[b"a"], Some("klingon")).is_err());
    }

    #[test]
    fn packed_text_is_unpacked() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"name\nAda\n").unwrap();
        let packed = packed.finish().unwrap();
        let parts: Vec<&[u8]> = packed.chunks(1).collect();
        assert_eq!(read(&parts, None).unwrap(), "name\nAda\n");
    }
}
