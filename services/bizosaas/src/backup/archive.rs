//! The tar file of a backup. The dump is streamed into it and out of it: nobody needs room for a second copy.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use aws_lc_rs::digest::{self, SHA256};
use bz_kernel::Clock;

use super::manifest::{MANIFEST, MANIFEST_SHA256, Manifest, Part};

/// Everything in a tar file starts at a multiple of it.
const BLOCK: u64 = 512;
/// How much is read at once.
const CHUNK: usize = 256 * 1024;

/// A backup that is being written, beside its final name until it is whole.
pub(crate) struct Writer {
    file: File,
    path: PathBuf,
    partial: PathBuf,
    finished: bool,
}

impl Writer {
    /// Begins the file, which only its owner may read.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        ensure!(
            !path.exists(),
            "{} exists; a backup is never replaced",
            path.display()
        );
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options
            .open(&partial)
            .with_context(|| format!("cannot write {}", partial.display()))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            partial,
            finished: false,
        })
    }

    /// Adds a file of unknown length: its header is written when the length is known.
    pub(crate) fn stream(&mut self, name: &str, mut from: impl Read) -> anyhow::Result<Part> {
        let doing = || format!("cannot write {name} to {}", self.partial.display());
        let start = self.file.stream_position().with_context(doing)?;
        self.file
            .write_all(&[0; BLOCK as usize])
            .with_context(doing)?;
        let part = copy(&mut from, &mut self.file).with_context(doing)?;
        let padding = part.bytes.next_multiple_of(BLOCK) - part.bytes;
        let zeros = vec![0; usize::try_from(padding)?];
        self.file.write_all(&zeros).with_context(doing)?;
        let end = self.file.stream_position().with_context(doing)?;
        self.file.seek(SeekFrom::Start(start)).with_context(doing)?;
        self.file
            .write_all(header(name, part.bytes)?.as_bytes())
            .with_context(doing)?;
        self.file.seek(SeekFrom::Start(end)).with_context(doing)?;
        Ok(part)
    }

    /// Adds the manifest and its digest.
    pub(crate) fn manifest(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(manifest)?;
        let part = self.stream(MANIFEST, text.as_slice())?;
        let line = format!("{}  {MANIFEST}\n", part.sha256);
        self.stream(MANIFEST_SHA256, line.as_bytes())?;
        Ok(())
    }

    /// Ends the file, waits until the disk has it and gives it its name. Answers its length.
    pub(crate) fn finish(mut self) -> anyhow::Result<u64> {
        let doing = || format!("cannot finish {}", self.path.display());
        self.file
            .write_all(&[0; 2 * BLOCK as usize])
            .with_context(doing)?;
        self.file.sync_all().with_context(doing)?;
        let length = self.file.metadata().with_context(doing)?.len();
        std::fs::rename(&self.partial, &self.path).with_context(doing)?;
        self.finished = true;
        Ok(length)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            let _already_gone = std::fs::remove_file(&self.partial);
        }
    }
}

fn header(name: &str, bytes: u64) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name)?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(Clock::system().now().timestamp()).unwrap_or(0));
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

/// Copies everything and answers its length and digest.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<Part> {
    let mut digest = digest::Context::new(&SHA256);
    let (mut buffer, mut bytes) = (vec![0; CHUNK], 0);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let chunk = &buffer[..read];
        digest.update(chunk);
        to.write_all(chunk)?;
        bytes += read as u64;
    }
    let sha256 = hex::encode(digest.finish());
    Ok(Part { bytes, sha256 })
}

/// A backup that is being read.
pub(crate) struct Archive {
    file: File,
    /// Where each file begins and how long it is.
    places: BTreeMap<String, (u64, u64)>,
}

impl Archive {
    /// Opens a backup, reads it from the first byte to the last and checks every digest.
    pub(crate) fn open(path: &Path) -> anyhow::Result<(Self, Manifest)> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
        Self::check(file).with_context(|| format!("{shown} is damaged or no backup"))
    }

    fn check(file: File) -> anyhow::Result<(Self, Manifest)> {
        let places = places(&file)?;
        let mut archive = Self { file, places };
        let (mut text, mut line) = (Vec::new(), String::new());
        archive.part(MANIFEST)?.read_to_end(&mut text)?;
        archive.part(MANIFEST_SHA256)?.read_to_string(&mut line)?;
        let sha256 = hex::encode(digest::digest(&SHA256, &text));
        let written = line == format!("{sha256}  {MANIFEST}\n");
        ensure!(written, "the digest of {MANIFEST} is another");
        let manifest: Manifest = serde_json::from_slice(&text)?;
        for (name, wanted) in &manifest.files {
            let found = copy(&mut archive.part(name)?, &mut io::sink())?;
            ensure!(found == *wanted, "the digest of {name} is another");
        }
        Ok((archive, manifest))
    }

    /// Reads one file.
    pub(crate) fn part(&mut self, name: &str) -> anyhow::Result<impl Read> {
        let place = self.places.get(name);
        let (start, length) = place.with_context(|| format!("there is no {name} in it"))?;
        self.file.seek(SeekFrom::Start(*start))?;
        Ok((&self.file).take(*length))
    }
}

fn places(file: &File) -> io::Result<BTreeMap<String, (u64, u64)>> {
    let mut places = BTreeMap::new();
    for entry in tar::Archive::new(file).entries_with_seek()? {
        let entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        places.insert(name, (entry.raw_file_position(), entry.size()));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::manifest::{FORMAT, Table};

    /// A small backup in a file of its own.
    fn written(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("bizosaas-{name}-{}", std::process::id()));
        let _none_there = std::fs::remove_file(&path);
        let mut writer = Writer::create(&path).unwrap();
        let part = writer.stream("a", [7_u8; 700].as_slice()).unwrap();
        let table = Table {
            rows: 3,
            digest: "9".to_owned(),
        };
        writer
            .manifest(&Manifest {
                format: FORMAT,
                created_at: Clock::system().now(),
                release: "0.1.0".to_owned(),
                database: "d".to_owned(),
                server: "18.1".to_owned(),
                schemas: BTreeMap::new(),
                tables: [("crm.leads".to_owned(), table)].into(),
                files: [("a".to_owned(), part)].into(),
            })
            .unwrap();
        writer.finish().unwrap();
        path
    }

    #[test]
    fn what_was_written_is_read_and_nobody_else_may_read_it() {
        let path = written("whole");
        let (mut archive, manifest) = Archive::open(&path).unwrap();
        assert_eq!(manifest.tables["crm.leads"].rows, 3);
        let mut bytes = Vec::new();
        archive.part("a").unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [7; 700]);
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(Writer::create(&path).is_err(), "it is never replaced");
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_changed_byte_and_a_lost_end_are_noticed_wherever_they_are() {
        let path = written("damaged");
        let whole = std::fs::read(&path).unwrap();
        let damaged = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Archive::open(&path).is_err()
        };
        // The contents: after each header of 512 bytes, `a` in two blocks, then the manifest and its digest.
        let manifest = 3 * 512 + 512;
        for place in [
            512,
            512 + 699,
            manifest,
            manifest + 100,
            whole.len() - 1024 - 512,
        ] {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            assert!(damaged(&bytes), "byte {place}");
        }
        for length in [0, 100, 512, 1000, 2048, whole.len() - 1024 - 512] {
            assert!(damaged(&whole[..length]), "the first {length} bytes");
        }
        assert!(!damaged(&whole));
        std::fs::remove_file(path).unwrap();
    }
}
