//! A base reads back as it was written, and every damage of it is found.

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

/// True if damage is found: at open, at an entry, or by the full check.
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

/// Asserts that the entries that can be read are those that were written, whatever the damage.
fn gives_nothing_wrong(path: &Path, checksum: u32) {
    let Ok((base, found, _)) = Base::open_damaged(path) else { return };
    assert_eq!(found, checksum);
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

/// Ids in clusters with wide gaps between them, and values of very unlike lengths.
fn uneven(part: Part) -> Vec<Entry> {
    let ids = (0..40u64).flat_map(|cluster| (0..1 + cluster * 13 % 29).map(move |i| cluster.pow(5) * 31 + i));
    let value = |id: u64| vec![1; 1 + (id * 7919 % 40 * (id % 7)) as usize];
    let key = |id: u64| match part {
        Part::Texts => [&id.to_be_bytes()[..], &[0, 0, 0, (id % 3) as u8]].concat(),
        _ => id.to_be_bytes().to_vec(),
    };
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| (key(id).into(), value(id).into())).collect()
}

#[test]
fn entries_are_found_however_unevenly_ids_are_spread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let ControlFlow::Continue(Some(checksum)) =
        write(&path, |part| uneven(part).into_iter().map(Ok), &mut going).unwrap()
    else {
        panic!("it was not written")
    };
    let base = Base::open(&path, checksum).unwrap();
    for part in Part::ALL {
        let entries = uneven(part);
        assert!(base.index(part).blocks() > 5, "{part:?}");
        let bytes = entries[0].0.len();
        let id = |entry: &Entry| u64::from_be_bytes(entry.0[..8].try_into().unwrap());
        let around = entries.iter().flat_map(|entry| [id(entry).saturating_sub(1), id(entry) + 1]);
        let absent = around
            .chain([u64::MAX])
            .filter(|id| !entries.iter().any(|entry| entry.0[..8] == id.to_be_bytes()));
        let absent: Vec<Vec<u8>> =
            absent.map(|id| [&id.to_be_bytes()[..], &[0; 4]].concat()[..bytes].to_vec()).collect();
        // Before the blocks were compared with their checksums, and after.
        for _ in 0..2 {
            let keys: Vec<(&[u8], usize)> = entries.iter().map(|(key, _)| (&key[..], 150)).collect();
            base.fetch(part, &keys);
            base.fetch(part, &absent.iter().map(|key| (key, 0)).collect::<Vec<_>>());
            for (key, value) in &entries {
                assert_eq!(base.get(part, key).unwrap(), Some(&value[..]), "{part:?} {key:?}");
            }
            for key in &absent {
                assert_eq!(base.get(part, key).unwrap(), None, "{part:?} {key:?}");
            }
        }
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
fn large_entries_have_blocks_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let lengths = [10, 4_000, 90, 5_000, 10, 10, 70_000, 10];
    let of =
        |_| (0u8..).zip(lengths).map(|(key, length)| Ok(([key][..].into(), vec![key + 1; length].into())));
    let ControlFlow::Continue(Some(checksum)) = write(&path, of, &mut going).unwrap() else {
        panic!("stopped")
    };
    let base = Base::open(&path, checksum).unwrap();
    assert_eq!((base.damage(), base.index(Part::Texts).blocks()), (vec![], 6));
    for (key, length) in (0u8..).zip(lengths) {
        assert_eq!(base.get(Part::Texts, &[key]).unwrap(), Some(&vec![key + 1; length][..]));
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_found() {
    let (_folder, path, checksum) = sample(60);
    let whole = std::fs::read(&path).unwrap();
    let (mut tried, mut detected) = (0u64, 0u64);
    let mut with = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        tried += 1;
        detected += u64::from(is_detected(&path, checksum));
        assert_eq!(tried, detected);
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        with(&bytes);
    }
    (0..whole.len()).step_by(61).for_each(|length| with(&whole[..length]));
    // Zeros in place of a lost block, as a disk would return them.
    for at in (0..whole.len()).step_by(512) {
        let mut bytes = whole.clone();
        let end = (at + 512).min(whole.len());
        bytes[at..end].fill(0);
        with(&bytes);
    }
    figures::report(
        "corruptions",
        &[
            ("of", "base".into()),
            ("tried", tried.into()),
            ("detected", detected.into()),
            ("harmless", 0.into()),
        ],
    );
    std::fs::write(&path, &whole).unwrap();
    assert!(!is_detected(&path, checksum));
}

#[test]
fn damage_costs_the_entries_that_it_is_in_and_no_others() {
    let (_folder, path, checksum) = sample(ENTRIES);
    let whole = std::fs::read(&path).unwrap();
    let sound = Base::open(&path, checksum).unwrap();
    let most_in_a_block = Part::ALL.into_iter().flat_map(|part| {
        let sound = &sound;
        (0..sound.index(part).blocks()).map(move |block| {
            let mut entries = &sound.map[sound.block(part, block).unwrap()];
            std::iter::from_fn(|| block::first(entries).map(|(_, _, rest)| entries = rest)).count()
        })
    });
    let most_in_a_block = most_in_a_block.max().unwrap();
    assert!(most_in_a_block < ENTRIES as usize / 3);
    for at in (0..whole.len()).step_by(97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        std::fs::write(&path, &bytes).unwrap();
        gives_nothing_wrong(&path, checksum);
        let (base, _, damage) = Base::open_damaged(&path).unwrap();
        let base = Arc::new(base);
        let lost: Vec<usize> = Part::ALL
            .into_iter()
            .map(|part| ENTRIES as usize - Arc::clone(&base).entries(part).flatten().count())
            .collect();
        let in_blocks = sound.tables.iter().any(|table| table.blocks.contains(&at));
        let most = if in_blocks && damage.is_empty() { most_in_a_block } else { 0 };
        assert!(lost.iter().sum::<usize>() <= most, "byte {at}: {lost:?} are lost; {damage:?}");
    }
}

#[test]
fn without_an_index_blocks_are_read_up_to_a_damaged_one() {
    let (_folder, path, checksum) = sample(ENTRIES);
    let mut bytes = std::fs::read(&path).unwrap();
    let texts = &Base::open(&path, checksum).unwrap().tables[Part::Texts as usize];
    bytes[texts.index.start] ^= 1;
    bytes[texts.blocks.start + texts.blocks.len() / 2] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let (base, _, damage) = Base::open_damaged(&path).unwrap();
    assert!(damage.len() == 2 && damage[1].contains("cannot be read from block"), "{damage:?}");
    let left = Arc::new(base).entries(Part::Texts).map(Result::unwrap).count() as u64;
    assert!((ENTRIES / 3..ENTRIES * 2 / 3).contains(&left), "{left}");
}

#[test]
fn mutated_bases_are_read_or_refused() {
    base().run(20_000);
}

/// Writes to a tree by key; `None` removes the key.
type Changes = BTreeMap<u8, Option<Vec<u8>>>;

fn changes() -> impl Strategy<Value = Changes> {
    let value =
        prop_oneof![prop::collection::vec(any::<u8>(), 1..9), prop::collection::vec(any::<u8>(), 400..900)];
    prop::collection::btree_map(any::<u8>(), prop::option::of(value), 0..80)
}

proptest! {
    #[test]
    fn trees_over_bases_are_the_map_that_all_were_written_to(generations in prop::collection::vec(changes(), 1..5)) {
        let folder = tempfile::tempdir().unwrap();
        let (mut base, mut expected) = (None::<Arc<Base>>, BTreeMap::new());
        for (number, changes) in generations.iter().enumerate() {
            let tree = changes.iter().filter(|(key, value)| {
                value.is_some() || base.as_ref().is_some_and(|base| base.get(Part::Texts, &[**key]).unwrap().is_some())
            });
            let tree: Vec<Entry> = tree
                .map(|(key, value)| ([*key][..].into(), value.clone().unwrap_or_default().into()))
                .collect();
            for (key, value) in changes {
                match value {
                    Some(value) => _ = expected.insert(*key, value.clone()),
                    None => _ = expected.remove(key),
                }
            }
            let both = || over(tree.iter().cloned().map(Ok), base.clone().map(|base| base.entries(Part::Texts)));
            let read: Vec<Entry> = both().collect::<Result<_>>().unwrap();
            let right: Vec<Entry> =
                expected.iter().map(|(key, value)| ([*key][..].into(), value.as_slice().into())).collect();
            prop_assert_eq!(&read, &right);
            let path = folder.path().join(number.to_string());
            let ControlFlow::Continue(written) = write(&path, |_| both(), &mut going).unwrap() else { panic!("stopped") };
            prop_assert_eq!(written.is_none(), expected.is_empty());
            base = written.map(|checksum| Arc::new(Base::open(&path, checksum).unwrap()));
            prop_assert!(base.iter().all(|base| base.damage().is_empty()));
        }
    }
}

proptest! {
    #[test]
    fn keys_are_ordered_as_their_bytes(
        a in proptest::collection::vec(0u8..3, 0..20), b in proptest::collection::vec(0u8..3, 0..20),
    ) {
        prop_assert_eq!(super::block::order(&a, &b), a.cmp(&b));
    }
}
