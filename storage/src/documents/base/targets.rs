//! Fuzz targets for bases. All checksums are right: what is tested lies behind them.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use super::block::{self, HEAD_BYTES};
use super::header::{decode, encode};
use super::index::PLACE_BYTES;
use super::{Base, Entry, FILE, Part, write};
use crate::mapped::frame;
use postil_hostile::Target;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Returns `count` entries of a part, of different lengths.
pub(super) fn entries(part: Part, count: u64) -> Vec<Entry> {
    let value = |i: u64| format!("{} {i} ", part.name()).repeat(1 + (i * 7 % 40) as usize);
    (0..count).map(|i| ((3 * i + 1).to_be_bytes()[..].into(), value(i).as_bytes().into())).collect()
}

/// Makes a folder with a base of `count` entries in each part; returns it, the file and its
/// checksum.
pub(super) fn sample(count: u64) -> (tempfile::TempDir, PathBuf, u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let of = |part| entries(part, count).into_iter().map(Ok);
    let written = write(&path, of, &mut |_| ControlFlow::Continue(())).unwrap();
    let ControlFlow::Continue(Some(checksum)) = written else { panic!("{written:?}") };
    (folder, path, checksum)
}

/// Uses a base, whatever its bytes are, in every way there is.
fn read(path: &Path) {
    let Ok((base, _, _)) = Base::open_damaged(path) else { return };
    let base = Arc::new(base);
    let _ = base.damage();
    for part in Part::ALL {
        for key in [0u64, 1, 2, 40, u64::MAX] {
            let _ = base.get(part, &key.to_be_bytes());
            base.fetch(part, &[(key.to_be_bytes(), key as usize)]);
        }
        Arc::clone(&base).entries(part).for_each(drop);
    }
}

/// Recomputes the checksums after a mutation: those of blocks, indexes and the header, as far as
/// they are in the file.
fn summed_up(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    let mut bytes = frame::summed_up(bytes);
    let Ok((mut header, _, body)) = decode(&bytes, path) else { return bytes };
    for table in &mut header.tables {
        if let Some((blocks, index)) = table.places(body, bytes.len()) {
            let (mut rest, mut crcs) = (&mut bytes[blocks], Vec::new());
            while let Some((head, after)) = rest.split_first_chunk_mut::<HEAD_BYTES>() {
                let length = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
                let Some((entries, after)) = after.split_at_mut_checked(length) else { break };
                crcs.push(crc32fast::hash(entries).to_le_bytes());
                *head = block::head(entries, crc32fast::hash(entries));
                rest = after;
            }
            for (place, crc) in bytes[index.clone()].chunks_exact_mut(PLACE_BYTES).zip(crcs) {
                place[PLACE_BYTES - crc.len()..].copy_from_slice(&crc);
            }
            table.index_crc = crc32fast::hash(&bytes[index]);
        }
    }
    let start = encode(&header);
    if start.len() == body {
        bytes[..body].copy_from_slice(&start);
    }
    bytes
}

/// Fuzz target for whole files of few entries.
#[must_use]
pub fn base() -> Target<'static> {
    let (folder, path, _) = sample(40);
    let whole = std::fs::read(&path).unwrap();
    Target::new("base", [whole], move |bytes| {
        let _ = &folder;
        std::fs::write(&path, summed_up(&path, bytes.to_vec())).unwrap();
        read(&path);
    })
}
