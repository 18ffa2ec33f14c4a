//! What was asked of the file system below one folder, in order. Files are named by inode, so that a rename moves none.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(crate) type Inode = u64;

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A file or folder has a new name; `folder` says which.
    Linked {
        parent: Inode,
        name: String,
        inode: Inode,
        folder: bool,
    },
    Unlinked {
        parent: Inode,
        name: String,
    },
    Renamed {
        from: (Inode, String),
        to: (Inode, String),
    },
    Written {
        inode: Inode,
        offset: u64,
        bytes: Vec<u8>,
    },
    Resized {
        inode: Inode,
        bytes: u64,
    },
    /// `fsync` or `fdatasync` returned.
    Synced {
        inode: Inode,
    },
    /// The caller was told that this generation is durable.
    Acknowledged {
        generation: u64,
    },
    /// A batch is given to the store.
    Committing,
}

struct Recording {
    root: PathBuf,
    events: Vec<Event>,
}

static RECORDING: Mutex<Option<Recording>> = Mutex::new(None);

/// Records everything below `root` from here on.
pub(crate) fn start(root: &Path) {
    *RECORDING.lock().unwrap() = Some(Recording { root: root.to_owned(), events: Vec::new() });
}

/// Ends the recording.
pub(crate) fn stop() -> Vec<Event> {
    RECORDING.lock().unwrap().take().map(|recording| recording.events).unwrap_or_default()
}

/// Does the call and records what it did, with no other call in between.
pub(super) fn around<T>(
    path: Option<PathBuf>,
    call: impl FnOnce() -> T,
    event: impl FnOnce(&T) -> Option<Event>,
) -> T {
    let mut recording = RECORDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match &mut *recording {
        Some(recording) if path.is_some_and(|path| path.starts_with(&recording.root)) => {
            let done = call();
            recording.events.extend(event(&done));
            done
        }
        _ => {
            drop(recording);
            call()
        }
    }
}

pub(crate) fn note(event: Event) {
    if let Some(recording) = &mut *RECORDING.lock().unwrap() {
        recording.events.push(event);
    }
}
