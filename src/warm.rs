//! Passages read before a question is asked, and kept beside the database.

use std::collections::HashSet;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use postil_contract::{Generator, Passage, ReadAhead};

use crate::answer::subject;
use crate::{Error, Progress, ReadOnlyDatabase, Watch};

/// Default of how many bytes of passages are kept.
pub const DEFAULT_WARM_BYTES: u64 = 1 << 30;

/// The result of [`ReadOnlyDatabase::warm`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Warmed {
    /// Passages of the database.
    pub passages: u64,
    /// Passages that are kept now; fewer than all when the limit was reached.
    pub kept: u64,
    /// Passages that were read just now.
    pub read: u64,
    /// Files deleted, of passages that are gone or of another model of this name.
    pub removed: u64,
    /// Size of all files.
    pub bytes: u64,
    /// True when it was cancelled.
    pub interrupted: bool,
}

/// Lets a generator use what is kept for it beside the database at `path`, if there is anything.
pub(crate) fn use_kept(path: &Path, generator: &dyn Generator) -> Result<(), Error> {
    let folder = folder(path, generator.name());
    match generator.ahead() {
        Some(ahead) if folder.is_dir() => Ok(ahead.use_folder(&folder)?),
        _ => Ok(()),
    }
}

/// The folder of a generator's files: beside the database, since a database is what it is without.
fn folder(database: &Path, generator: &str) -> PathBuf {
    let mut all = OsString::from(database);
    all.push(".read");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let name: String = generator.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    Path::new(&all).join(name)
}

/// See [`ReadOnlyDatabase::warm`].
pub(crate) fn warm(db: &ReadOnlyDatabase, limit_bytes: u64, watch: &Watch<'_>) -> Result<Warmed, Error> {
    let generator = match db.has_second() {
        true => db.second_generator()?,
        false => db.generator()?,
    };
    let Some(ahead) = generator.ahead() else {
        return Err(Error::NothingToKeep { generator: generator.name().to_owned() });
    };
    let folder = folder(db.path(), generator.name());
    let read_error = |source| Error::Read { path: folder.clone(), source };
    std::fs::create_dir_all(&folder).map_err(read_error)?;
    ahead.use_folder(&folder)?;
    let mut warmed = Warmed::default();
    let mut wanted = HashSet::new();
    // First all names, so that what is gone makes room for what is read.
    each_document(db, watch, &mut warmed, &mut |passages, warmed| {
        warmed.passages += passages.len() as u64;
        for passage in passages {
            let files = ahead.files(&[*passage])?;
            let new =
                files.iter().filter(|file| !wanted.contains(&file.name)).map(|file| file.bytes).sum::<u64>();
            if warmed.bytes + new <= limit_bytes {
                warmed.bytes += new;
                warmed.kept += 1;
                wanted.extend(files.into_iter().map(|file| file.name));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if warmed.interrupted {
        return Ok(Warmed { kept: 0, bytes: size(&folder).map_err(read_error)?, ..warmed });
    }
    warmed.removed = remove_others(&folder, &wanted).map_err(read_error)?;
    let total = warmed.kept;
    let mut progress = Progress { total_passages: Some(total), ..Progress::default() };
    warmed.kept = 0;
    each_document(db, watch, &mut warmed, &mut |passages, warmed| {
        for passage in passages {
            if !ahead.files(&[*passage])?.iter().all(|file| wanted.contains(&file.name)) {
                continue;
            }
            match read(ahead, *passage, &progress, watch)? {
                Some(read) => warmed.read += read,
                None => return Ok(ControlFlow::Break(())),
            }
            warmed.kept += 1;
            progress.passages_read = warmed.kept;
            watch.report(&progress);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    warmed.bytes = size(&folder).map_err(read_error)?;
    Ok(warmed)
}

/// Reads one passage; returns the number read, 0 when it is kept already, or `None` after a cancel.
fn read(
    ahead: &dyn ReadAhead,
    passage: Passage<'_>,
    so_far: &Progress,
    watch: &Watch<'_>,
) -> Result<Option<u64>, Error> {
    let reading = |read, of| {
        watch.report(&Progress { tokens_read: read as u64, total_tokens: Some(of as u64), ..*so_far });
        if watch.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match ahead.read_ahead(&[passage], &reading).map_err(Error::from) {
        Err(Error::Cancelled) => Ok(None),
        read => Ok(Some(read? as u64)),
    }
}

/// Takes passages, and says whether to go on.
type Each<'a> = dyn FnMut(&[Passage<'_>], &mut Warmed) -> Result<ControlFlow<()>, Error> + 'a;

/// Gives the passages of every document to `each` as a generator reads them, until it breaks or the
/// work is cancelled.
fn each_document(
    db: &ReadOnlyDatabase,
    watch: &Watch<'_>,
    warmed: &mut Warmed,
    each: &mut Each<'_>,
) -> Result<(), Error> {
    for document in db.documents() {
        if watch.is_cancelled() {
            warmed.interrupted = true;
            return Ok(());
        }
        let document = document?;
        // Removed since its key was read.
        let Some(stored) = db.passages(&document.key)? else { continue };
        let titles: Vec<_> =
            stored.iter().map(|passage| subject(&document.key, &document.title, &passage.heading)).collect();
        let passages: Vec<Passage<'_>> = stored
            .iter()
            .zip(&titles)
            .map(|(passage, title)| Passage { title, text: &passage.text })
            .collect();
        if each(&passages, warmed)?.is_break() {
            warmed.interrupted = true;
            return Ok(());
        }
    }
    Ok(())
}

/// Deletes the files of `folder` that are not `wanted`, unfinished ones too; returns their number.
fn remove_others(folder: &Path, wanted: &HashSet<String>) -> std::io::Result<u64> {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_wanted = entry.file_name().to_str().is_some_and(|name| wanted.contains(name));
        if !is_wanted && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn size(folder: &Path) -> std::io::Result<u64> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
