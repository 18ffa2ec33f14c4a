//! A base is what was written, and every damage of it is found.

use super::targets::{base, entries, sample};
use super::{Base, Entry, FILE, Part, block, write};
use crate::documents::over::over;
use crate::error::{Result, StorageError};
use postil_hostile::figures;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

const ENTRIES: u64 = 300;

fn going(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Whether anything is wrong: at open, with an entry, or when everything is looked at.
fn is_detected(path: &Path, checksum: u32) -> bool {
    let found = Base::open(path, checksum).and_then(|base| {
        let damage = base.damage();
        if damage.is_empty() { Ok(()) } else { Err(StorageError::corrupt(path, damage.join("; "))) }
    });
    match found {
        Ok(()) => false,
        Err(StorageError::Corrupt { path: named, .. } | StorageError::Version { path: named, .. }) => {
            named == path
        }
        Err(error) => panic!("{error}"),
    }
}

/// Entries that are there must be as they were written, whatever the damage.
fn gives_nothing_wrong(path: &Path, checksum: u32) {
    let Ok((base, _)) = Base::open_damaged(path, checksum) else { return };
    let base = Arc::new(base);
    for part in Part::ALL {
        let written: BTreeMap<_, _> = entries(part, ENTRIES).into_iter().collect();
        for entry in Arc::clone(&base).entries(part).flatten() {
            assert_eq!(written.get(&entry.0), Some(&entry.1));
        }
    }
}

#[test]
fn every_entry_is_found_and_no_other() {
    let (_folder, path, checksum) = sample(ENTRIES);
    let base = Arc::new(Base::open(&path, checksum).unwrap());
    assert_eq!(base.damage(), Vec::<String>::new());
    for part in Part::ALL {
        let written = entries(part, ENTRIES);
        for (key, value) in &written {
            assert_eq!(base.get(part, key).unwrap(), Some(&value[..]));
        }
        for absent in [0u64, 2, 3, 3 * ENTRIES, u64::MAX] {
            assert_eq!(base.get(part, &absent.to_be_bytes()).unwrap(), None);
        }
        let read: Vec<Entry> = Arc::clone(&base).entries(part).collect::<Result<_>>().unwrap();
        assert!(read == written && base.index(part).blocks() > 5);
    }
}

#[test]
fn no_entries_make_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let written = write(&path, |_| std::iter::empty(), &mut going).unwrap();
    assert!(written == ControlFlow::Continue(None) && !path.exists());
}

#[test]
fn an_error_of_an_entry_or_a_wish_to_stop_ends_the_writing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let broken =
        |_| [Ok(("a".into(), "b".into())), Err(StorageError::corrupt(Path::new("x"), "y"))].into_iter();
    assert!(write(&at("broken"), broken, &mut going).is_err());
    let of = |part| entries(part, ENTRIES).into_iter().map(Ok);
    assert!(write(&at("stopped"), of, &mut |_| ControlFlow::Break(())).unwrap().is_break());
}

#[test]
fn every_changed_byte_and_every_cut_is_found() {
    let (_folder, path, checksum) = sample(60);
    let whole = std::fs::read(&path).unwrap();
    let mut tried = 0u64;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bytes).unwrap();
        assert!(is_detected(&path, checksum), "byte {at}");
        tried += 1;
    }
    for length in (0..whole.len()).step_by(61) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(is_detected(&path, checksum), "{length} bytes");
        tried += 1;
    }
    std::fs::write(&path, &whole).unwrap();
    assert!(!is_detected(&path, checksum));
    figures::report("base_damage", &[("tried", tried.into()), ("detected", tried.into())]);
}

#[test]
fn damage_costs_the_entries_that_it_is_in_and_no_others() {
    let (_folder, path, checksum) = sample(ENTRIES);
    let whole = std::fs::read(&path).unwrap();
    let header = Base::open(&path, checksum).unwrap().tables[0].blocks.start;
    for at in (header..whole.len()).step_by(97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        std::fs::write(&path, &bytes).unwrap();
        gives_nothing_wrong(&path, checksum);
        let (base, damaged_indexes) = Base::open_damaged(&path, checksum).unwrap();
        let base = Arc::new(base);
        for part in Part::ALL {
            let found = Arc::clone(&base).entries(part).flatten().count() as u64;
            let in_index = damaged_indexes.iter().any(|what| what.contains(part.name()));
            assert!(!in_index || found == ENTRIES, "the index is made anew");
            let most_in_a_block = (block::FULL_BYTES / 8) as u64;
            assert!(found + most_in_a_block >= ENTRIES && found > 0, "byte {at}: {found} entries are left");
        }
    }
}

#[test]
fn mutated_bases_are_read_or_refused() {
    base().run(20_000);
}

/// What is written to a tree over a base.
type Changes = BTreeMap<u8, Option<Vec<u8>>>;

proptest! {
    #[test]
    fn a_tree_over_a_base_is_the_map_that_both_were_written_to(
        before in prop::collection::btree_map(any::<u8>(), prop::collection::vec(any::<u8>(), 1..600), 0..80),
        changes in prop::collection::btree_map(any::<u8>(), prop::option::of(prop::collection::vec(any::<u8>(), 1..9)), 0..80),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let entry = |(key, value): (&u8, &Vec<u8>)| Ok((vec![*key].into(), value.as_slice().into()));
        let of = |_| before.iter().map(entry);
        let written = write(&path, of, &mut going).unwrap();
        prop_assert_eq!(matches!(written, ControlFlow::Continue(None)), before.is_empty());
        let base = match written {
            ControlFlow::Continue(Some(checksum)) => Some(Arc::new(Base::open(&path, checksum).unwrap())),
            _ => None,
        };
        let mut expected = before.clone();
        let changes: &Changes = &changes;
        for (key, value) in changes {
            match value {
                Some(value) => _ = expected.insert(*key, value.clone()),
                None => _ = expected.remove(key),
            }
        }
        let tree = changes.iter().map(|(key, value)| Ok((vec![*key].into(), value.clone().unwrap_or_default().into())));
        let both = over(tree, base.map(|base| base.entries(Part::Texts)));
        let both: BTreeMap<u8, Vec<u8>> = both.map(|entry| entry.map(|(key, value)| (key[0], value.to_vec()))).collect::<Result<_>>().unwrap();
        prop_assert_eq!(both, expected);
    }
}
