//! What sled 0.34 leaves undone in its folder, done around it.

use crate::error::{AtPath, Result};
use std::path::Path;

/// Removes what a crash during an open left half-written.
///
/// sled writes a snapshot of its page table to `snap.N.generating` and renames it to `snap.N`, but reads whatever begins
/// with `snap.`, the last in order: a half-written one makes every later open fail as damage. It is only ever a copy
/// of what the log says.
pub(super) fn remove_unfinished(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(&path).at(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::documents::Documents;

    #[test]
    fn a_snapshot_that_a_crash_cut_short_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        drop(Documents::open(folder.path()).unwrap());
        for (name, bytes) in
            [("snap.00000000000000FF.generating", &b""[..]), ("snap.7FFF.generating", &[7; 90])]
        {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            drop(Documents::open(folder.path()).unwrap());
            assert!(!folder.path().join(name).exists());
        }
    }
}
