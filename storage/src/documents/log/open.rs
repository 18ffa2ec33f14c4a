//! Opening sled.

use super::contain::contained;
use super::files::remove_unfinished;
use crate::error::{Result, StorageError};
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of sled's cache. Its default, 1 GiB, is too much for an embedded database.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of a segment of sled's log; sled's default is 512 KiB. A page larger than a quarter of
/// this gets a file of its own. sled does not sync that file, and if it is missing or cannot be
/// opened once, sled drops the log after it. A page has up to about 20 values.
const SEGMENT_BYTES: usize = 4 << 20;

/// Longest wait for a closed sled to release its lock.
const LET_GO: Duration = Duration::from_secs(10);

/// Opens sled, waiting for its lock: a closed sled may hold it until the last of its threads ends.
/// The caller holds the database's own lock, so no other process can be using sled.
fn open_when_unlocked(config: &sled::Config) -> sled::Result<sled::Db> {
    let deadline = Instant::now() + LET_GO;
    loop {
        match config.open() {
            // The message is the only trace of the lock in sled's error.
            Err(sled::Error::Io(error))
                if error.to_string().contains("could not acquire lock") && Instant::now() < deadline =>
            {
                std::thread::sleep(LET_GO / 1000);
            }
            opened => return opened,
        }
    }
}

/// Opens the sled in a folder, or makes a new one; also returns the configuration it was opened
/// with. The caller holds the database's own lock.
pub(in crate::documents) fn open(path: &Path) -> Result<(sled::Db, sled::Config)> {
    // Every commit flushes, so sled's own periodic flush would only add work.
    let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    remove_unfinished(path)?;
    let opened = |config: &sled::Config| contained(path, || open_when_unlocked(config));
    let db = match opened(&config.clone().segment_size(SEGMENT_BYTES)) {
        // Made when log segments were smaller; the next compaction rewrites it.
        Err(StorageError::Documents { source: sled::Error::Unsupported(_), .. }) => opened(&config)?,
        opened => opened?,
    };
    Ok((db, config))
}
