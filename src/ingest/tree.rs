//! A folder held open, so that reads stay inside it: between a walk and a read, a file or a folder
//! above it may be replaced by a link.

use std::fs::File;
use std::io;
use std::path::Path;

/// A folder that a user named.
#[derive(Debug)]
pub(super) struct Tree(imp::Folder);

/// Error of opening a file of a tree.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The file or a folder above it is now a link, or it is no regular file.
    Replaced,
    /// The system refused.
    Io(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Tree {
    /// Opens a folder; a link to one is followed, since the user named it.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        imp::Folder::open(root).map(Self)
    }

    /// Opens a regular file at a path relative to the folder, which leads through no link.
    pub(super) fn file(&self, below: &Path) -> Result<File, OpenError> {
        let file = self.0.file(below)?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(OpenError::Replaced) }
    }
}

#[cfg(unix)]
mod imp {
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::{Component, Path};

    use rustix::fs::{CWD, Mode, OFlags, openat};
    use rustix::io::Errno;

    use super::OpenError;

    #[derive(Debug)]
    pub(super) struct Folder(OwnedFd);

    const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    /// Opening a pipe would wait for a writer otherwise; to a regular file it makes no difference.
    const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

    impl Folder {
        pub(super) fn open(root: &Path) -> io::Result<Self> {
            Ok(Self(openat(CWD, root, FOLDER, Mode::empty())?))
        }

        /// A step for each component, since `O_NOFOLLOW` is about the last one only.
        pub(super) fn file(&self, below: &Path) -> Result<File, OpenError> {
            let mut steps = below.components().peekable();
            let mut above: Option<OwnedFd> = None;
            while let Some(step) = steps.next() {
                let Component::Normal(name) = step else { return Err(OpenError::Replaced) };
                let flags = OFlags::NOFOLLOW | if steps.peek().is_some() { FOLDER } else { FILE };
                let from = above.as_ref().unwrap_or(&self.0);
                match openat(from, name, flags, Mode::empty()) {
                    Ok(opened) => above = Some(opened),
                    // Linux and macOS, a link where a folder was, FreeBSD; a socket.
                    Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK | Errno::NXIO) => {
                        return Err(OpenError::Replaced);
                    }
                    Err(error) => return Err(OpenError::Io(error.into())),
                }
            }
            above.map(File::from).ok_or(OpenError::Replaced)
        }
    }
}

/// Without directory handles: checks for links, and can miss one made at that moment.
#[cfg(not(unix))]
mod imp {
    use std::fs::File;
    use std::io;
    use std::path::{Path, PathBuf};

    use super::OpenError;

    #[derive(Debug)]
    pub(super) struct Folder(PathBuf);

    impl Folder {
        pub(super) fn open(root: &Path) -> io::Result<Self> {
            std::fs::canonicalize(root).map(Self)
        }

        pub(super) fn file(&self, below: &Path) -> Result<File, OpenError> {
            let mut path = self.0.clone();
            for step in below.components() {
                path.push(step);
                if path.symlink_metadata()?.is_symlink() {
                    return Err(OpenError::Replaced);
                }
            }
            Ok(File::open(path)?)
        }
    }
}
