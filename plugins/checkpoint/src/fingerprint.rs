use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::CheckpointError;

/// Bytes read at a time: large enough for hashing to be the bottleneck, small enough to stay in
/// cache.
const BLOCK_BYTES: usize = 256 << 10;

/// A running digest of everything that decides a model's output.
///
/// Each part is written with its label and both lengths, so that two different sequences of parts
/// never give the same bytes. SHA-256, over file contents in full: nothing is cached, and nothing
/// is inferred from names, sizes or times.
#[derive(Clone, Default)]
pub struct Fingerprint {
    digest: Sha256,
}

impl Fingerprint {
    /// The digest of an empty sequence of parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value under `label`.
    pub fn part(&mut self, label: &str, value: &[u8]) {
        for bytes in [label.as_bytes(), value] {
            self.digest.update((bytes.len() as u64).to_le_bytes());
            self.digest.update(bytes);
        }
    }

    /// Adds the content of a file under `label`.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] when it cannot be read.
    pub fn file(&mut self, label: &str, path: &Path) -> Result<(), CheckpointError> {
        let digest = file_digest(path)?;
        self.part(label, digest.as_bytes());
        Ok(())
    }

    /// The digest so far, in lower-case hexadecimal.
    pub fn finish(self) -> String {
        hex::encode(self.digest.finalize())
    }
}

/// SHA-256 of a file's content, in lower-case hexadecimal.
///
/// # Errors
/// [`CheckpointError::Io`] when it cannot be read.
pub fn file_digest(path: &Path) -> Result<String, CheckpointError> {
    let error = |source| CheckpointError::io(path, source);
    let mut file = File::open(path).map_err(error)?;
    let mut digest = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match file.read(&mut block).map_err(error)? {
            0 => return Ok(hex::encode(digest.finalize())),
            read => digest.update(&block[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_file_is_its_sha256() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(file_digest(&path).unwrap(), expected);
    }

    #[test]
    fn moving_a_byte_between_parts_changes_the_digest() {
        let digest = |parts: &[(&str, &[u8])]| {
            let mut fingerprint = Fingerprint::new();
            for (label, value) in parts {
                fingerprint.part(label, value);
            }
            fingerprint.finish()
        };
        assert_ne!(digest(&[("a", b"bc")]), digest(&[("ab", b"c")]));
        assert_ne!(digest(&[("a", b""), ("b", b"")]), digest(&[("a", b"b")]));
        assert_eq!(digest(&[("a", b"bc")]), digest(&[("a", b"bc")]));
    }
}
