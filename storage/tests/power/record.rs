//! The file system calls below one folder, in order. Files are identified by inode, so that a
//! rename moves none.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(crate) type Inode = u64;

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A file or folder has a new name; `folder` says which of the two it is.
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

/// The need of a call that the system may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Free space on the disk.
    Room,
    /// A disk that can sync.
    Sync,
    /// A place in the table of open files.
    Handle,
}

/// Choice of the calls that fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) need: Need,
    /// Number of calls with that need that succeed first.
    pub(crate) after: u64,
    /// True if only one call fails.
    pub(crate) once: bool,
    /// Number of the error.
    pub(crate) error: i32,
}

struct Recording {
    root: PathBuf,
    events: Vec<Event>,
    refusal: Option<Refusal>,
    /// Number of calls by need.
    calls: [u64; 3],
}

static RECORDING: Mutex<Option<Recording>> = Mutex::new(None);

/// Records every call below `root` from here on.
pub(crate) fn start(root: &Path) {
    *RECORDING.lock().unwrap() =
        Some(Recording { root: root.to_owned(), events: Vec::new(), refusal: None, calls: [0; 3] });
}

/// Ends the recording.
pub(crate) fn stop() -> Vec<Event> {
    RECORDING.lock().unwrap().take().map(|recording| recording.events).unwrap_or_default()
}

/// Refuses calls from here on, and counts them from zero.
pub(crate) fn refuse(refusal: Refusal) {
    let mut recording = RECORDING.lock().unwrap();
    let recording = recording.as_mut().expect("recording was started");
    recording.refusal = Some(refusal);
    recording.calls = [0; 3];
}

/// Returns the number of calls with that need since the recording or the refusal began.
pub(crate) fn calls(need: Need) -> u64 {
    RECORDING.lock().unwrap().as_ref().map_or(0, |recording| recording.calls[need as usize])
}

impl Recording {
    /// Returns the error that the call gets; `None` if it succeeds.
    fn refused(&mut self, need: Option<Need>) -> Option<i32> {
        let need = need?;
        let before = self.calls[need as usize];
        self.calls[need as usize] += 1;
        let refusal = self.refusal.filter(|refusal| refusal.need == need)?;
        let now = if refusal.once { before == refusal.after } else { before >= refusal.after };
        now.then_some(refusal.error)
    }
}

/// Makes the call and records its effect, with no other call in between.
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
