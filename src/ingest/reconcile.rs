//! Documents that were once read from the given paths and are no longer found there.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::mend::remove;
use super::pipeline::Read;
use super::{IngestOptions, Ingested};
use crate::origin::Known;
use crate::{Database, Error};

/// Removes records that are no longer in their file, and with [`IngestOptions::prune`] the
/// documents of files not in `taken`; counts the latter otherwise.
///
/// A file or folder that exists but could not be read keeps its documents, and its failure says so;
/// after a failure at an unknown place, all files not taken keep theirs. Nothing is removed when
/// the ingest ended early.
pub(super) fn reconcile(
    db: &Database,
    known: Known,
    taken: &HashSet<PathBuf>,
    read: &Read,
    options: &IngestOptions,
    report: &mut Ingested,
) -> Result<(), Error> {
    if report.interrupted {
        return Ok(());
    }
    let unread: HashSet<&Path> = read.unread.iter().filter_map(|(_, place)| place.as_deref()).collect();
    let mut keeping = HashSet::new();
    let mut dropped = Vec::new();
    let mut gone = Vec::new();
    let records = known.records.into_iter().map(|(place, keys)| (place, keys, true));
    let files = known.files.into_iter().map(|(place, keys)| (place, keys, false));
    for (place, mut keys, are_records) in files.chain(records) {
        keys.retain(|key| !read.seen.contains(key));
        if keys.is_empty() {
            continue;
        }
        let barred = || place.ancestors().filter(|folder| unread.contains(folder));
        if barred().next().is_some() {
            keeping.extend(barred().map(Path::to_owned));
        } else if !taken.contains(&place) {
            gone.append(&mut keys);
        } else if are_records {
            dropped.append(&mut keys);
        }
    }
    for (skip, place) in &read.unread {
        let place = place.as_ref().filter(|place| keeping.contains(*place));
        if let (Some(skipped), Some(_)) = (report.skipped.get_mut(*skip), place) {
            skipped.kept = true;
        }
    }
    report.removed += remove(db, dropped)?;
    if read.unread.iter().any(|(_, place)| place.is_none()) {
        return Ok(());
    }
    match options.prune {
        true => report.removed += remove(db, gone)?,
        false => report.stale = gone.len() as u64,
    }
    Ok(())
}
