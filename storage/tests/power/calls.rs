//! The file functions of the C library, defined here: a definition in the executable comes before
//! the library's, so the standard library and sled call these. Each makes the system call and
//! records it.
#![expect(unsafe_code, reason = "functions of the C library take pointers")]

use super::record::{Event, Inode, Need, around};
use libc::{AT_FDCWD, O_CREAT, O_TRUNC, c_char, c_int, c_long, c_uint, c_void, off64_t, size_t, ssize_t};
use std::ffi::CStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

fn fd_path(fd: c_int) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{fd}")).ok()
}

fn fd_inode(fd: c_int) -> Option<Inode> {
    // Follows the link to the file itself, whatever its present name is.
    Some(std::fs::metadata(format!("/proc/self/fd/{fd}")).ok()?.ino())
}

/// Returns the path that a call on `folder` names; `None` if it is not text.
fn named(folder: c_int, name: *const c_char) -> Option<PathBuf> {
    // SAFETY: callers of the C library give a string that ends in zero.
    let name = Path::new(unsafe { CStr::from_ptr(name) }.to_str().ok()?);
    match folder {
        _ if name.is_absolute() => Some(name.to_owned()),
        AT_FDCWD => Some(std::env::current_dir().ok()?.join(name)),
        _ => Some(fd_path(folder)?.join(name)),
    }
}

/// Returns the folder of a path and its name in it.
fn entry(path: &Path) -> Option<(Inode, String)> {
    let parent = std::fs::metadata(path.parent()?).ok()?.ino();
    Some((parent, path.file_name()?.to_str()?.to_owned()))
}

fn linked(path: &Path, folder: bool) -> Option<Event> {
    let (parent, name) = entry(path)?;
    Some(Event::Linked { parent, name, inode: std::fs::metadata(path).ok()?.ino(), folder })
}

/// Returns the event of a call that returned 0; `None` if it returned -1.
fn done(result: c_int, event: impl FnOnce() -> Option<Event>) -> Option<Event> {
    if result == 0 { event() } else { None }
}

/// Returns a failure as the C library does.
fn failed<T: From<i8>>(error: i32) -> T {
    // SAFETY: it is this thread's own variable.
    unsafe { *libc::__errno_location() = error };
    T::from(-1)
}

fn call(number: c_long, arguments: [usize; 5]) -> c_long {
    let [a, b, c, d, e] = arguments;
    // SAFETY: the arguments are those of the C library's function of the same name, which has the
    // same contract.
    unsafe { libc::syscall(number, a, b, c, d, e) }
}

fn open_at(folder: c_int, name: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let path = named(folder, name);
    let before = path.as_deref().is_some_and(Path::exists);
    let arguments = [folder as usize, name as usize, flags as usize, mode as usize, 0];
    around(
        path.clone(),
        // A full disk cannot take a new name either; a call may meet either error first.
        Some(if flags & O_CREAT != 0 && !before { Need::Room } else { Need::Handle }),
        failed,
        || call(libc::SYS_openat, arguments) as c_int,
        |&fd| match path {
            Some(path) if fd >= 0 && flags & O_CREAT != 0 && !before => linked(&path, false),
            Some(_) if fd >= 0 && flags & O_TRUNC != 0 => {
                Some(Event::Resized { inode: fd_inode(fd)?, bytes: 0 })
            }
            _ => None,
        },
    )
}

#[unsafe(no_mangle)]
extern "C" fn open64(name: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    open_at(AT_FDCWD, name, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn openat64(folder: c_int, name: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    open_at(folder, name, flags, mode)
}

/// Returns the event of a write of `count` bytes at `offset`; `None` if it failed.
fn written(fd: c_int, offset: u64, bytes: *const c_void, count: ssize_t) -> Option<Event> {
    let count = usize::try_from(count).ok()?;
    // SAFETY: the system has just read that many bytes from there.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) }.to_vec();
    Some(Event::Written { inode: fd_inode(fd)?, offset, bytes })
}

#[unsafe(no_mangle)]
extern "C" fn write(fd: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    let write = || call(libc::SYS_write, [fd as usize, bytes as usize, count, 0, 0]) as ssize_t;
    if fd <= 2 {
        return write();
    }
    let position = || call(libc::SYS_lseek, [fd as usize, 0, libc::SEEK_CUR as usize, 0, 0]);
    around(fd_path(fd), Some(Need::Room), failed, write, |&count| {
        written(fd, u64::try_from(position()).ok()?.checked_sub(count.try_into().ok()?)?, bytes, count)
    })
}

#[unsafe(no_mangle)]
extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, count: size_t, offset: off64_t) -> ssize_t {
    let arguments = [fd as usize, bytes as usize, count, offset as usize, 0];
    around(
        fd_path(fd),
        Some(Need::Room),
        failed,
        || call(libc::SYS_pwrite64, arguments) as ssize_t,
        |&count| written(fd, u64::try_from(offset).ok()?, bytes, count),
    )
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate64(fd: c_int, bytes: off64_t) -> c_int {
    around(
        fd_path(fd),
        Some(Need::Room),
        failed,
        || call(libc::SYS_ftruncate, [fd as usize, bytes as usize, 0, 0, 0]) as c_int,
        |&result| {
            done(result, || Some(Event::Resized { inode: fd_inode(fd)?, bytes: bytes.try_into().ok()? }))
        },
    )
}

fn sync(number: c_long, fd: c_int) -> c_int {
    around(
        fd_path(fd),
        Some(Need::Sync),
        failed,
        || call(number, [fd as usize, 0, 0, 0, 0]) as c_int,
        |&result| done(result, || Some(Event::Synced { inode: fd_inode(fd)? })),
    )
}

#[unsafe(no_mangle)]
extern "C" fn fsync(fd: c_int) -> c_int {
    sync(libc::SYS_fsync, fd)
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(libc::SYS_fdatasync, fd)
}

#[unsafe(no_mangle)]
extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let (old, new) = (named(AT_FDCWD, from), named(AT_FDCWD, to));
    around(
        new.clone(),
        None,
        failed,
        || call(libc::SYS_rename, [from as usize, to as usize, 0, 0, 0]) as c_int,
        |&result| done(result, || Some(Event::Renamed { from: entry(&old?)?, to: entry(&new?)? })),
    )
}

#[unsafe(no_mangle)]
extern "C" fn mkdir(name: *const c_char, mode: c_uint) -> c_int {
    let path = named(AT_FDCWD, name);
    around(
        path.clone(),
        Some(Need::Room),
        failed,
        || call(libc::SYS_mkdir, [name as usize, mode as usize, 0, 0, 0]) as c_int,
        |&result| done(result, || linked(&path?, true)),
    )
}

fn unlink_at(folder: c_int, name: *const c_char, flags: c_int) -> c_int {
    let path = named(folder, name);
    around(
        path.clone(),
        None,
        failed,
        || call(libc::SYS_unlinkat, [folder as usize, name as usize, flags as usize, 0, 0]) as c_int,
        |&result| done(result, || entry(&path?).map(|(parent, name)| Event::Unlinked { parent, name })),
    )
}

#[unsafe(no_mangle)]
extern "C" fn unlinkat(folder: c_int, name: *const c_char, flags: c_int) -> c_int {
    unlink_at(folder, name, flags)
}

#[unsafe(no_mangle)]
extern "C" fn unlink(name: *const c_char) -> c_int {
    unlink_at(AT_FDCWD, name, 0)
}

#[unsafe(no_mangle)]
extern "C" fn rmdir(name: *const c_char) -> c_int {
    unlink_at(AT_FDCWD, name, libc::AT_REMOVEDIR)
}
