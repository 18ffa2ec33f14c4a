//! Databases in read-only places: without write permission, on a read-only medium, of another user.
//!
//! sled writes to what it opens, so its trees are read from a private copy, which is small: the
//! large files, which are the base, the segments and the runs, are mapped in place. Writers are
//! kept out while the copy is made; afterwards they cannot disturb it, since they never change a
//! mapped file, and an unlinked one stays mapped.

use super::lock::{LOCK_FILE, Lock, is_marked};
use super::private::{Private, ReadOnly};
use super::publish::PUBLISHED;
use super::{Store, StoreOptions, space};
use crate::documents::{COMMITTED, base, rewrite};
use crate::durable::{bytes_under, link_for_reading};
use crate::error::{AtPath, Result, StorageError, may_not_be_written};
use crate::index::SEGMENTS;
use std::io::ErrorKind;
use std::path::Path;

impl Store {
    /// Opens a database to be read: as [`open`](Self::open) if it is writable; otherwise in its
    /// present state, without changing a byte in its folder, and then nothing can be written. For
    /// that its trees are copied to a temporary folder that only this user can read, and that is
    /// removed when the store is dropped.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`StorageError::NotReadable`] if not even reading is permitted, and
    /// [`StorageError::NoTemporary`] if there is no place for the copy.
    pub fn open_read_only(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self> {
        let path = path.as_ref();
        match Self::open(path, options.clone()) {
            Err(StorageError::NotWritable { .. }) => open(path, options),
            // The lock was permitted, but something else was not.
            Err(StorageError::Io { source, .. }) if may_not_be_written(&source) => open(path, options),
            opened => opened,
        }
    }
}

/// Refuses to open a database for writing if one of its folders, and so its content, is read-only:
/// before a byte of it is changed.
pub(super) fn refuse(path: &Path) -> Result<()> {
    let trees = rewrite::current(path)?.map(|(_, trees)| trees);
    for folder in [path, &path.join(SEGMENTS)].into_iter().chain(trees.as_deref()) {
        if let Err(source) = may_be_written(folder)
            && may_not_be_written(&source)
        {
            return Err(StorageError::NotWritable { path: path.to_owned(), source });
        }
    }
    Ok(())
}

#[cfg(unix)]
fn may_be_written(folder: &Path) -> std::io::Result<()> {
    use rustix::fs::{Access, access};
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// On other systems the lock, and the files opened after it, decide.
#[cfg(not(unix))]
fn may_be_written(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn open(path: &Path, options: StoreOptions) -> Result<Store> {
    copied(path, options).map_err(|error| match error {
        StorageError::Io { path: place, source } if source.kind() == ErrorKind::PermissionDenied => {
            StorageError::NotReadable { path: path.to_owned(), place, source }
        }
        error => error,
    })
}

fn copied(path: &Path, options: StoreOptions) -> Result<Store> {
    if !is_marked(path)? {
        let what = "the folder has no LOCK file of a database".to_owned();
        return Err(StorageError::NotADatabase { path: path.to_owned(), what });
    }
    let _unused = Lock::watch(path)?;
    let Some((_, trees)) = rewrite::current(path)? else {
        let what = "it was never completely created; create it again where it may be written".to_owned();
        return Err(StorageError::NotADatabase { path: path.to_owned(), what });
    };
    let private = Private::new()?;
    let copy = private.copy();
    let base_bytes = std::fs::metadata(base::file(&trees)).map_or(0, |base| base.len());
    let needed_bytes = bytes_under(&trees)?.saturating_sub(base_bytes);
    space::ensure(&copy, options.min_free_bytes.saturating_add(needed_bytes))?;
    let lock = Lock::take(&copy)?;
    let name = trees.file_name().unwrap_or_default();
    rewrite::copy_for_reading(&trees, &copy.join(name))?;
    link_all(&path.join(SEGMENTS), &copy.join(SEGMENTS))?;
    for entry in std::fs::read_dir(path).at(path)? {
        let from = entry.at(path)?.path();
        let Some(name) = from.file_name() else { continue };
        if name == COMMITTED {
            std::fs::copy(&from, copy.join(name)).at(&from)?;
        } else if from.is_file() && name != LOCK_FILE && name != PUBLISHED {
            // For a check, which finds what is not part of the database.
            link_for_reading(&from, &copy.join(name))?;
        }
    }
    let read_only = ReadOnly { path: path.to_owned(), generation: None, private: private.clone() };
    Store::open_locked(&copy, options, lock, Some(read_only)).map_err(|error| private.told_of(error, path))
}

fn link_all(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir(to).at(to)?;
    if !from.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(from).at(from)? {
        let entry = entry.at(from)?;
        link_for_reading(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, DocumentWrite, Profile, SearchOptions};
    use crate::value::Metadata;
    use crate::vector::metric::Metric;
    use std::collections::BTreeMap;
    use std::ops::ControlFlow;
    use std::path::PathBuf;

    fn row(key: &str, x: f32) -> DocumentWrite {
        DocumentWrite {
            text: format!("text of {key}"),
            ..DocumentWrite::row(key, vec![x, 1.0], Metadata::new())
        }
    }

    fn options() -> StoreOptions {
        StoreOptions { seal_rows: 10, m: 4, ef_construction: 20, ..StoreOptions::default() }
    }

    /// Makes rows in a segment, in a run, in the trees, and removed ones.
    fn made(path: &Path) {
        let store = Store::create(path, Profile::new(2, Metric::L2), options()).unwrap();
        for (rows, removed) in [(0..12, "3"), (12..16, "7"), (16..17, "1")] {
            let mut batch = Batch::new();
            rows.for_each(|i| batch.upsert(row(&i.to_string(), i as f32)));
            store.commit(batch).unwrap();
            let mut batch = Batch::new();
            batch.remove(removed);
            store.commit(batch).unwrap();
            if removed == "3" {
                store.compact().unwrap();
            }
        }
        store.close().unwrap();
    }

    fn bytes(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![path.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => drop(files.insert(path.clone(), std::fs::read(&path).unwrap())),
                }
            }
        }
        files
    }

    #[test]
    fn what_may_only_be_read_is_read_whole_and_not_a_byte_of_it_changes() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.postil");
        made(&path);
        let before = bytes(&path);
        let (store, other) = (open(&path, options()).unwrap(), open(&path, options()).unwrap());
        let stat = store.stat().unwrap();
        assert_eq!((stat.documents, stat.disk_bytes), (14, bytes_under(&path).unwrap()));
        let hits = other.search(&[11.9, 1.0], &SearchOptions::new(14)).unwrap();
        assert_eq!((hits.len(), hits[0].key.as_str()), (14, "12"));
        assert_eq!(other.text("12").unwrap().unwrap(), "text of 12");
        assert_eq!(store.check().unwrap(), []);
        let mut batch = Batch::new();
        batch.remove("12");
        for refused in [store.commit(batch).unwrap_err(), store.compact().unwrap_err()] {
            assert!(
                matches!(&refused, StorageError::ReadOnly { path: named } if *named == path),
                "{refused}"
            );
        }
        let copy = home.path().join("copy.postil");
        assert_eq!(
            store.backup(&copy, &mut |_| ControlFlow::Continue(())).unwrap(),
            ControlFlow::Continue(())
        );
        assert_eq!(Store::open(&copy, options()).unwrap().stat().unwrap().documents, 14);
        let private = store.shared.path.clone();
        store.close().unwrap();
        drop(other);
        assert!(bytes(&path) == before);
        assert!(!private.exists() && !private.parent().unwrap().exists());
    }

    #[test]
    fn a_writer_is_not_disturbed_by_those_who_read_and_does_not_disturb_them() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.postil");
        made(&path);
        let reader = open(&path, options()).unwrap();
        let writer = Store::open(&path, options()).unwrap();
        let refused = open(&path, options()).unwrap_err();
        assert!(
            matches!(&refused, StorageError::Locked { .. }) && refused.to_string().contains("publish"),
            "{refused}"
        );
        let mut batch = Batch::new();
        (0..40).for_each(|i| batch.upsert(row(&format!("new {i}"), 100.0 + i as f32)));
        writer.commit(batch).unwrap();
        writer.compact().unwrap();
        drop(writer);
        assert_eq!(reader.stat().unwrap().documents, 14);
        let hits = reader.search(&[11.9, 1.0], &SearchOptions::new(20).exact()).unwrap();
        assert_eq!((hits.len(), hits[0].key.as_str()), (14, "12"));
        assert_eq!(reader.text("12").unwrap().unwrap(), "text of 12");
        assert_eq!(open(&path, options()).unwrap().stat().unwrap().documents, 54);
    }

    #[test]
    fn damage_is_named_where_it_is_and_not_in_the_copy() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.postil");
        made(&path);
        std::fs::write(path.join("letter.txt"), "mine").unwrap();
        let segment = std::fs::read_dir(path.join(SEGMENTS)).unwrap().map(|entry| entry.unwrap().path());
        let segment =
            segment.filter(|path| path.extension().is_some_and(|kind| kind == "seg")).min().unwrap();
        let mut content = std::fs::read(&segment).unwrap();
        *content.last_mut().unwrap() ^= 1;
        std::fs::write(&segment, content).unwrap();
        let found: Vec<PathBuf> =
            open(&path, options()).unwrap().check().unwrap().into_iter().map(|damage| damage.path).collect();
        assert!(found.contains(&segment) && found.contains(&path.join("letter.txt")), "{found:?}");
        let manifest = std::fs::read(&segment).unwrap();
        std::fs::write(&segment, &manifest[..manifest.len() / 2]).unwrap();
        let error = open(&path, options()).unwrap_err().to_string();
        assert!(error.starts_with(&segment.display().to_string()), "{error}");
    }
}
