//! Zip archives of XML, within limits of size and time.
//!
//! Only files that a format asks for are unpacked, in memory and up to a limit, so that no archive
//! can fill a disk, write outside of a folder or take more memory than a document may have.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::ExtractError;
use crate::reader::Input;

/// Most files of an archive.
const MAX_FILES: usize = 100_000;
/// First bytes of a compound file: documents of old Office versions, and encrypted ones of new.
const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// An archive that is open.
pub(crate) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    input: Input<'a>,
    /// Bytes that all files together may still unpack to.
    left: u64,
}

impl<'a> Package<'a> {
    pub(crate) fn open(input: Input<'a>) -> Result<Self, ExtractError> {
        if input.bytes.starts_with(&COMPOUND) {
            return Err(match wide(input.bytes, "EncryptedPackage") {
                true => ExtractError::Encryption { method: "Office" },
                false => {
                    ExtractError::damaged("document", &"it is of an Office before 2007; save it as a new one")
                }
            });
        }
        let archive = ZipArchive::new(Cursor::new(input.bytes)).map_err(|error| of("archive", &error))?;
        if archive.len() > MAX_FILES {
            return Err(ExtractError::damaged("archive", &format!("it has {} files", archive.len())));
        }
        let left = input.budget.part_bytes() as u64;
        Ok(Self { archive, input, left })
    }

    /// Names of the files; those that are no text are left out.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.archive.file_names().flatten().map(std::borrow::Cow::into_owned)
    }

    /// The bytes of a file; `None` when the archive does not have it.
    pub(crate) fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        self.input.budget.time()?;
        let file = match self.archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(of(name, &error)),
        };
        let mut bytes = Vec::new();
        file.take(self.left + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| ExtractError::damaged(name, &error))?;
        if bytes.len() as u64 > self.left {
            let max_bytes = self.input.budget.part_bytes() as u64;
            return Err(ExtractError::TooLarge { part: name.to_owned(), max_bytes });
        }
        self.left -= bytes.len() as u64;
        Ok(Some(bytes))
    }

    /// As [`bytes`](Self::bytes), of a file that the format cannot do without.
    pub(crate) fn needed(&mut self, name: &str) -> Result<Vec<u8>, ExtractError> {
        self.bytes(name)?.ok_or_else(|| ExtractError::damaged(name, &"the archive does not have it"))
    }
}

/// True when the first bytes are an archive that has a file of this name near its begin or end.
pub(crate) fn has_file(bytes: &[u8], name: &str) -> bool {
    bytes.starts_with(b"PK\x03\x04")
        && ZipArchive::new(Cursor::new(bytes)).is_ok_and(|archive| archive.index_for_name(name).is_some())
}

/// The media type that an archive says it is by an uncompressed first file, as OpenDocument and EPUB
/// do.
pub(crate) fn media_type(bytes: &[u8]) -> Option<&str> {
    let rest = bytes.strip_prefix(b"PK\x03\x04")?;
    let head = rest.get(26..)?.strip_prefix(b"mimetype")?;
    std::str::from_utf8(&head[..head.len().min(80)])
        .or_else(|error| std::str::from_utf8(&head[..error.valid_up_to()]))
        .ok()
}

/// True when bytes have a text in UTF-16.
fn wide(bytes: &[u8], text: &str) -> bool {
    let wanted: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

fn of(part: &str, error: &ZipError) -> ExtractError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            ExtractError::Encryption { method: "zip" }
        }
        error => ExtractError::damaged(part, &error),
    }
}

/// A path in an archive, relative to the folder of another file there.
pub(crate) fn beside(file: &str, path: &str) -> String {
    let path = path.split(['#', '?']).next().unwrap_or("");
    let mut parts: Vec<&str> = match path.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => file.split('/').collect(),
    };
    if !path.starts_with('/') {
        parts.pop();
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    unescaped(&parts.join("/"))
}

/// A path with its `%20` and the like as characters.
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
