//! Segment files as a faulty writer would have left them: wrong, but with valid checksums.

use crate::index::segment::header::{self, Header};
use std::path::Path;

/// Changes the bytes of a section, by its name in messages.
pub(crate) fn section(path: &Path, name: &str, change: impl FnOnce(&mut [u8])) {
    rewrite(path, |header, body| {
        let section = header.sections.iter_mut().find(|section| section.name() == name).unwrap();
        let bytes = &mut body[section.offset as usize..][..section.bytes as usize];
        change(bytes);
        section.crc = crc32fast::hash(bytes);
    });
}

/// Changes the number at `index`, of four bytes, in a section.
pub(crate) fn number(path: &Path, name: &str, index: usize, value: u32) {
    section(path, name, |bytes| bytes[index * 4..][..4].copy_from_slice(&value.to_le_bytes()));
}

/// Changes the entry point.
pub(crate) fn entry(path: &Path, entry: u32) {
    rewrite(path, |header, _| header.entry = entry);
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Header, &mut [u8])) {
    let mut bytes = std::fs::read(path).unwrap();
    let (mut header, _, body) = header::decode(&bytes, path).unwrap();
    change(&mut header, &mut bytes[body..]);
    let start = header::encode(&header);
    assert_eq!(start.len(), body);
    bytes[..body].copy_from_slice(&start);
    std::fs::write(path, bytes).unwrap();
}
