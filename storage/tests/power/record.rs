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

/// What a call needs of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Room on the disk.
    Room,
    /// A working disk.
    Sync,
    /// A place in the table of open files.
    Handle,
}

/// Which calls fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) need: Need,
    /// So many calls with that need go well first.
    pub(crate) after: u64,
    /// Only one fails.
    pub(crate) once: bool,
    /// The error's number.
    pub(crate) error: i32,
}

struct Recording {
    root: PathBuf,
    events: Vec<Event>,
    refusal: Option<Refusal>,
    /// Calls by need.
    calls: [u64; 3],
}

static RECORDING: Mutex<Option<Recording>> = Mutex::new(None);

/// Records everything below `root` from here on.
pub(crate) fn start(root: &Path) {
    *RECORDING.lock().unwrap() =
        Some(Recording { root: root.to_owned(), events: Vec::new(), refusal: None, calls: [0; 3] });
}

/// Ends the recording.
pub(crate) fn stop() -> Vec<Event> {
    RECORDING.lock().unwrap().take().map(|recording| recording.events).unwrap_or_default()
}

/// From here on calls are refused; before it, nothing is counted.
pub(crate) fn refuse(refusal: Refusal) {
    let mut recording = RECORDING.lock().unwrap();
    let recording = recording.as_mut().expect("recording was started");
    recording.refusal = Some(refusal);
    recording.calls = [0; 3];
}

/// How many calls needed it since the recording was started or refusing began.
pub(crate) fn calls(need: Need) -> u64 {
    RECORDING.lock().unwrap().as_ref().map_or(0, |recording| recording.calls[need as usize])
}

impl Recording {
    /// The error that the call gets.
    fn refused(&mut self, need: Option<Need>) -> Option<i32> {
        let need = need?;
        let before = self.calls[need as usize];
        self.calls[need as usize] += 1;
        let refusal = self.refusal.filter(|refusal| refusal.need == need)?;
        let now = if refusal.once { before == refusal.after } else { before >= refusal.after };
        now.then_some(refusal.error)
    }
}

/// Does the call and records what it did, with no other call in between.
pub(super) fn around<T>(
    path: Option<PathBuf>,
    need: Option<Need>,
    refused: impl FnOnce(i32) -> T,
    call: impl FnOnce() -> T,
    event: impl FnOnce(&T) -> Option<Event>,
) -> T {
    let mut recording = RECORDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match &mut *recording {
        Some(recording) if path.is_some_and(|path| path.starts_with(&recording.root)) => {
            if let Some(error) = recording.refused(need) {
                return refused(error);
            }
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
