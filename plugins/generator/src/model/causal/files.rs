use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::keys::Keys;

/// First bytes of a file: its kind and its version.
const MAGIC: [u8; 8] = *b"PSTLKEY1";
/// Length of a name, SHA-256 in hexadecimal.
const NAME_BYTES: usize = 64;
/// Ending of the files.
const ENDING: &str = "keys";
const CHECKSUM_BYTES: usize = 4;

/// Beginnings of prompts that were read, in a folder, one file each: the kind, the file's own name,
/// the keys and values, and the CRC-32 of all that. A file that is not exactly so is not used.
pub(super) struct KeyFiles {
    folder: PathBuf,
    /// Digest of what the model computes.
    pub(super) model: String,
}

impl KeyFiles {
    pub(super) fn new(folder: &Path, model: String) -> Self {
        Self { folder: folder.to_owned(), model }
    }

    /// The name of the file of `digest`.
    pub(super) fn name(digest: &str) -> String {
        format!("{digest}.{ENDING}")
    }

    pub(super) fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(Self::name(digest))
    }

    /// Size of the file of `length` tokens.
    pub(super) fn bytes(parts: usize, length: usize, head: usize) -> u64 {
        (MAGIC.len() + NAME_BYTES + Keys::byte_len(parts, length, head) + CHECKSUM_BYTES) as u64
    }

    /// The keys of `length` tokens; `None` when there is no such file, or it is damaged.
    pub(super) fn read(&self, digest: &str, parts: usize, length: usize, head: usize) -> Option<Keys> {
        let expected = Self::bytes(parts, length, head);
        let file = File::open(self.path(digest)).ok()?;
        if file.metadata().ok()?.len() != expected {
            return None;
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(expected).ok()?).ok()?;
        file.take(expected).read_to_end(&mut bytes).ok()?;
        let (content, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let keys = content.strip_prefix(&MAGIC)?.strip_prefix(digest.as_bytes())?;
        Keys::from_bytes(keys, parts, length, head)
    }

    /// Writes a file, whole or not at all.
    pub(super) fn write(&self, digest: &str, keys: &Keys) -> std::io::Result<()> {
        let content = [&MAGIC, digest.as_bytes(), &keys.to_bytes()].concat();
        let path = self.path(digest);
        let unfinished = path.with_extension(format!("{}.unfinished", std::process::id()));
        let write = || {
            let mut file = File::create(&unfinished)?;
            file.write_all(&content)?;
            file.write_all(&crc32fast::hash(&content).to_le_bytes())?;
            drop(file);
            std::fs::rename(&unfinished, &path)
        };
        write().inspect_err(|_| {
            let _ = std::fs::remove_file(&unfinished);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_lacks_or_changes_a_byte_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let files = KeyFiles::new(home.path(), String::new());
        let mut keys = Keys::none(2);
        for part in 0..2 {
            let lines = [[1.0, f32::NAN], [3.0, 4.0], [5.0, -0.0]];
            keys.push(part, lines.iter().map(|line| (line.as_slice(), line.as_slice())));
        }
        keys.finish(3);
        let digest = "0123456789abcdef".repeat(4);
        let read = |length| files.read(&digest, 2, length, 2);
        assert!(read(3).is_none());
        files.write(&digest, &keys).unwrap();
        let path = files.path(&digest);
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(whole.len() as u64, KeyFiles::bytes(2, 3, 2));
        assert_eq!(read(3).unwrap().to_bytes(), keys.to_bytes());
        assert!(read(2).is_none() && files.read(&digest, 3, 3, 2).is_none(), "of another shape");
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            std::fs::write(&path, &damaged).unwrap();
            assert!(read(3).is_none(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(read(3).is_none(), "{at} bytes");
        }
        std::fs::write(&path, [whole.as_slice(), &[0]].concat()).unwrap();
        assert!(read(3).is_none());
        let other = "f".repeat(64);
        std::fs::write(files.path(&other), &whole).unwrap();
        assert!(files.read(&other, 2, 3, 2).is_none(), "under another name");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2, "nothing unfinished is left");
    }
}
