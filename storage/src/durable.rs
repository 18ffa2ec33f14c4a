//! Measuring, copying and syncing folders, before they get their name.

use crate::error::{AtPath, Result};
use crate::fault::{self, Point};
use std::fs::File;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::Path;

/// Bytes between two checks for cancellation.
const PIECE: usize = 1 << 20;

/// Called with the number of bytes copied since the last call; `Break` cancels.
pub(crate) type Going<'a> = &'a mut dyn FnMut(u64) -> ControlFlow<()>;

/// Copies all of `from` to a new file.
pub(crate) fn copy(from: &mut impl Read, to: &Path, going: Going<'_>) -> Result<ControlFlow<()>> {
    let mut file = File::create_new(to).at(to)?;
    let mut piece = vec![0; PIECE];
    loop {
        let bytes = from.read(&mut piece).at(to)?;
        if bytes == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        file.write_all(&piece[..bytes]).at(to)?;
        if going(bytes as u64).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

/// Makes a file and its name durable; the name becomes durable only after all of the file's bytes.
/// `reached` has the fault points: file synced, file renamed, folder synced.
pub(crate) fn give_name(file: &File, temp: &Path, path: &Path, reached: [Point; 3]) -> Result<()> {
    let [synced, renamed, folder_synced] = reached;
    file.sync_all().at(temp)?;
    fault::reach(synced)?;
    std::fs::rename(temp, path).at(path)?;
    fault::reach(renamed)?;
    let folder = path.parent().unwrap_or(path);
    sync_names(folder)?;
    fault::reach(folder_synced)
}

/// Gives an immutable file a second name; on a file system without links, writes a copy.
pub(crate) fn link_or_copy(file: &Path, mut content: &[u8], name: &Path) -> Result<()> {
    if std::fs::hard_link(file, name).is_err() {
        let flow = copy(&mut content, name, &mut |_| ControlFlow::Continue(()))?;
        debug_assert!(flow.is_continue());
    }
    Ok(())
}

/// Gives an immutable file a name in a private folder of a read-only opener, so that its original
/// name may go.
pub(crate) fn link_for_reading(file: &Path, name: &Path) -> Result<()> {
    let file = std::path::absolute(file).at(file)?;
    #[cfg(unix)]
    return std::os::unix::fs::symlink(file, name).at(name);
    #[cfg(not(unix))]
    return std::fs::copy(file, name).map(|_| ()).at(name);
}

/// Copies a folder with everything in it, except links and other things that are not files.
pub(crate) fn copy_folder(from: &Path, to: &Path, going: Going<'_>) -> Result<ControlFlow<()>> {
    copy_folder_but(from, to, "", going)
}

/// As [`copy_folder`], without the file or folder named `but`.
pub(crate) fn copy_folder_but(
    from: &Path,
    to: &Path,
    but: &str,
    going: Going<'_>,
) -> Result<ControlFlow<()>> {
    std::fs::create_dir(to).at(to)?;
    for entry in std::fs::read_dir(from).at(from)? {
        let entry = entry.at(from)?;
        if entry.file_name() == but {
            continue;
        }
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().at(&path)?;
        let flow = if kind.is_dir() {
            copy_folder(&path, &copied, going)?
        } else if kind.is_file() {
            copy(&mut File::open(&path).at(&path)?, &copied, going)?
        } else {
            ControlFlow::Continue(())
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Makes every file in a folder, and every name, durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        if path.is_dir() {
            sync_folder(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).at(&path)?;
        }
    }
    sync_names(folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_names(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).at(folder)
}

/// Returns the bytes of all files in a folder and below. Files and folders may be made, renamed and
/// removed meanwhile: those may be counted or not.
pub(crate) fn bytes_under(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    let mut folders = vec![std::fs::read_dir(folder).at(folder)?];
    while let Some(entries) = folders.pop() {
        for entry in entries {
            let Some(entry) = present(entry).at(folder)? else { continue };
            let metadata = present(entry.metadata()).at(&entry.path())?;
            bytes += match metadata {
                Some(metadata) if metadata.is_dir() => {
                    folders.extend(present(std::fs::read_dir(entry.path())).at(&entry.path())?);
                    0
                }
                metadata => metadata.map_or(0, |file| file.len()),
            };
        }
    }
    Ok(bytes)
}

/// Returns `None` for what was removed after it was listed.
fn present<T>(found: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_copied_with_all_that_is_in_it_until_it_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("from/deep")).unwrap();
        std::fs::write(at("from/a"), vec![7; PIECE + 5]).unwrap();
        std::fs::write(at("from/deep/b"), "x").unwrap();
        let mut bytes = 0;
        let mut going = |more| {
            bytes += more;
            ControlFlow::Continue(())
        };
        assert!(copy_folder(&at("from"), &at("to"), &mut going).unwrap().is_continue());
        sync_folder(&at("to")).unwrap();
        assert_eq!(bytes, PIECE as u64 + 6);
        assert_eq!(std::fs::read(at("to/a")).unwrap(), vec![7; PIECE + 5]);
        assert_eq!(std::fs::read(at("to/deep/b")).unwrap(), b"x");
        let mut stop = |_| ControlFlow::Break(());
        assert!(copy_folder(&at("from"), &at("stopped"), &mut stop).unwrap().is_break());
    }
}
