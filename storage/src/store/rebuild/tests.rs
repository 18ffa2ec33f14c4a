//! Lost parts are listed, the others are there, and the damaged database does not change.

use super::Rebuilt;
use crate::documents::{COMMITTED, base, rewrite};
use crate::index::segment;
use crate::store::lost::Lost;
use crate::store::tests::sample::{DIMENSION, RUN_DOCUMENTS, SEALED, Sample, document};
use crate::{Batch, DocumentWrite, Metadata, Metric, Profile, StorageError, Store, StoreOptions, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Number of documents in the sample that are not removed; each has two rows.
const LIVE: u64 = 58;
/// Number of those documents that a segment holds.
const LIVE_SEALED: u64 = SEALED - 1;

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(path).unwrap());
        }
    }
    found
}

/// By key: the text, and the text and vector bits of each passage.
type Content = BTreeMap<String, (String, Vec<(String, Vec<u32>)>)>;

fn content(store: &Store) -> Content {
    let document = |key: &str| {
        let passages = store.passages(key).unwrap().unwrap().into_iter();
        let bits = |row| store.vector(row).unwrap().unwrap().iter().map(|x| x.to_bits()).collect();
        let passages = passages.map(|passage| (passage.text.clone(), bits(passage.row)));
        (store.text(key).unwrap().unwrap(), passages.collect())
    };
    let keys = store.documents().map(|document| document.unwrap().key);
    keys.map(|key| (key.clone(), document(&key))).collect()
}

fn no_encoder(_: &Profile, _: &DocumentWrite, _: &[usize]) -> Result<Vec<Vec<f32>>, super::EmbedError> {
    Err("there is no encoder".into())
}

/// Rebuilds a closed sample; checks that it did not change, and that the new database is sound.
fn rebuild(
    sample: &mut Sample,
    profile: Option<Profile>,
    embed: super::Embed<'_>,
) -> Result<(Rebuilt, Store), StorageError> {
    sample.store = None;
    let to = sample.path.with_file_name("new.postil");
    let before = files(&sample.path);
    let rebuilt = Store::rebuild(&sample.path, &to, StoreOptions::default(), profile, embed);
    assert!(files(&sample.path) == before, "the source was touched");
    assert!(!sample.path.with_file_name("new.postil.unfinished").exists());
    let rebuilt = match rebuilt {
        Ok(rebuilt) => rebuilt,
        Err(error) => {
            assert!(!to.exists(), "a failure left something");
            return Err(error);
        }
    };
    let store = Store::open(&to, StoreOptions::default()).unwrap();
    assert_eq!(store.check().unwrap(), vec![]);
    assert_eq!(store.stat().unwrap().documents, rebuilt.documents);
    assert_eq!(store.stat().unwrap().passages, rebuilt.passages);
    Ok((rebuilt, store))
}

fn names(lost: &[Lost]) -> Vec<&str> {
    lost.iter().map(|lost| lost.name.as_str()).collect()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x40;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_database_comes_back_bit_by_bit() {
    for metric in [Metric::Cosine, Metric::L2] {
        let mut sample = Sample::new(metric);
        let before = content(sample.store());
        let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
        assert_eq!(rebuilt, Rebuilt { documents: LIVE, passages: 2 * LIVE, ..Rebuilt::default() });
        assert!(content(&store) == before);
    }
}

#[test]
fn documents_whose_vectors_are_lost_are_embedded_again_or_listed() {
    let mut sample = Sample::new(Metric::L2);
    let segment = sample.segment();
    sample.store = None;
    flip(&segment, 70);
    let mut embed = |_: &Profile, document: &DocumentWrite, at: &[usize]| {
        assert_eq!((at, document.text.is_empty()), (&[0, 1][..], false));
        Ok(vec![vec![0.5; DIMENSION]; 2])
    };
    let (rebuilt, store) = rebuild(&mut sample, None, &mut embed).unwrap();
    assert_eq!((rebuilt.documents, rebuilt.embedded), (LIVE, LIVE_SEALED));
    assert_eq!(names(&rebuilt.lost), [segment.to_str().unwrap()]);
    let row = store.passages("key 3").unwrap().unwrap()[0].row;
    assert_eq!(store.vector(row).unwrap().unwrap(), [0.5; DIMENSION]);
    drop(store);

    std::fs::remove_dir_all(sample.path.with_file_name("new.postil")).unwrap();
    let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert_eq!(rebuilt.documents, LIVE - LIVE_SEALED);
    assert_eq!(rebuilt.lost.len() as u64, 1 + LIVE_SEALED);
    assert!(rebuilt.lost[1].to_string().contains("2 vectors cannot be read; there is no encoder"));
    assert!(store.text("key 50").unwrap().is_some() && store.text("key 3").unwrap().is_none());
}

#[test]
fn a_changed_byte_costs_the_vector_it_is_in_and_makes_the_others_doubtful() {
    let mut sample = Sample::new(Metric::L2);
    let segment = sample.segment();
    sample.store = None;
    // The sign and exponent of a component of one of the last rows, those of document 39. After the
    // vectors come the checksums of the 80 rows.
    let vectors_end = std::fs::metadata(&segment).unwrap().len() as usize - 80 * 4;
    let padding = vectors_end % 64;
    assert_eq!((padding, 80 * DIMENSION * 4 % 64), (0, 0));
    flip(&segment, vectors_end - 1);
    let (rebuilt, _) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert_eq!(names(&rebuilt.lost), [segment.to_str().unwrap(), "key 39"]);
    assert_eq!(rebuilt.doubtful.len() as u64, LIVE_SEALED - 1);
    assert!(rebuilt.doubtful[0].what.contains("damaged or that no manifest names"));
    assert_eq!(rebuilt.documents, LIVE - 1);
}

#[test]
fn records_that_cannot_be_read_cost_their_documents_and_no_other() {
    let mut sample = Sample::new(Metric::L2);
    let before = content(sample.store());
    let block = |document: u64| [&document.to_be_bytes()[..], &[0, 0, 0, 1]].concat();
    sample.tamper("documents", &5u64.to_be_bytes(), Some(&[1, 2]));
    sample.tamper("documents", &6u64.to_be_bytes(), Some(&[9, 2]));
    sample.tamper("documents", &7u64.to_be_bytes(), None);
    sample.tamper("texts", &block(8), None);
    sample.tamper("passages", &18u64.to_be_bytes(), Some(&[1]));
    sample.tamper("passages", &21u64.to_be_bytes(), None);
    // A missing key costs nothing: the record has it too.
    sample.tamper("keys", b"key 11", None);
    // An extra key costs nothing either.
    sample.tamper("keys", b"ghost", Some(&12u64.to_be_bytes()));
    let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    let mut lost = names(&rebuilt.lost);
    lost.sort_unstable();
    assert_eq!(lost, ["ghost", "key 10", "key 5", "key 6", "key 7", "key 8", "key 9"]);
    assert!(rebuilt.lost.iter().any(|lost| lost.what.contains("format version 9")));
    assert!(rebuilt.lost.iter().all(|lost| !lost.what.contains("unfinished")), "{:?}", rebuilt.lost);
    let after = content(&store);
    let kept = before.into_iter().filter(|(key, _)| !lost.contains(&key.as_str()));
    assert!(kept.eq(after));
}

#[test]
fn damage_in_the_base_costs_the_document_it_is_in_and_no_other() {
    let mut sample = Sample::new(Metric::L2);
    sample.store().compact().unwrap();
    let before = content(sample.store());
    sample.store = None;
    let (_, trees) = rewrite::current(&sample.path).unwrap().unwrap();
    let base = base::file(&trees);
    // Within the texts, which are most of the file.
    flip(&base, 1_000_000);
    let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    let [lost] = &rebuilt.lost[..] else { panic!("{rebuilt:?}") };
    assert!(lost.name.starts_with("key ") && lost.what.contains("of its texts does not match"), "{lost}");
    assert!(content(&store).into_iter().eq(before.into_iter().filter(|(key, _)| *key != lost.name)));
}

/// A closed sample with a base and one more document; returns its base.
fn with_base(sample: &mut Sample) -> PathBuf {
    sample.store().compact().unwrap();
    let mut batch = Batch::new();
    batch.upsert(DocumentWrite::row("later", vec![1.0; DIMENSION], Metadata::new()));
    sample.store().commit(batch).unwrap();
    sample.store = None;
    let (_, trees) = rewrite::current(&sample.path).unwrap().unwrap();
    base::file(&trees)
}

#[test]
fn a_damaged_header_of_the_base_costs_nothing() {
    let mut sample = Sample::new(Metric::L2);
    let base = with_base(&mut sample);
    flip(&base, 70);
    let refused = Store::open(&sample.path, Sample::options()).unwrap_err();
    assert!(matches!(&refused, StorageError::Corrupt { path, .. } if *path == base), "{refused}");
    let (rebuilt, _) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert_eq!((rebuilt.documents, names(&rebuilt.lost)), (LIVE + 1, vec![base.to_str().unwrap()]));
}

#[test]
fn a_lost_base_costs_what_was_in_it() {
    let mut sample = Sample::new(Metric::L2);
    let base = with_base(&mut sample);
    std::fs::remove_file(&base).unwrap();
    let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert_eq!((rebuilt.documents, names(&rebuilt.lost)), (1, vec![base.to_str().unwrap()]));
    assert!(store.document("later").unwrap().is_some());
}

#[test]
fn lost_trees_cost_what_changed_since_their_base_was_made() {
    let damages: [fn(&Path); 2] = [
        |trees| std::fs::write(trees.join("conf"), "nothing that sled reads").unwrap(),
        // sled reports this as a disk error, not as damage.
        |trees| {
            std::fs::remove_file(trees.join("db")).unwrap();
            std::fs::create_dir(trees.join("db")).unwrap();
        },
    ];
    for damage in damages {
        let mut sample = Sample::new(Metric::L2);
        let base = with_base(&mut sample);
        let trees = base.parent().unwrap();
        damage(trees);
        let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
        assert_eq!(rebuilt.documents, LIVE, "{rebuilt:?}");
        assert_eq!(names(&rebuilt.lost), [trees.to_str().unwrap(), base.to_str().unwrap()]);
        assert!(store.document("later").unwrap().is_none() && store.document("key 3").unwrap().is_some());
    }
}

#[test]
fn a_lost_manifest_is_made_up_for_by_a_segment_or_by_the_caller() {
    let mut sample = Sample::new(Metric::L2);
    let before = content(sample.store());
    sample.tamper("manifest", b"manifest", Some(&[1, 2, 3]));
    let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert_eq!(names(&rebuilt.lost), ["manifest"]);
    assert_eq!(*store.profile(), Profile::new(DIMENSION, Metric::L2));
    assert!(content(&store) == before);
    drop(store);

    std::fs::remove_dir_all(sample.path.with_file_name("new.postil")).unwrap();
    let profile = Profile { encoder: "named".to_owned(), ..Profile::new(DIMENSION, Metric::L2) };
    let (_, store) = rebuild(&mut sample, Some(profile.clone()), &mut no_encoder).unwrap();
    assert_eq!(*store.profile(), profile);
    assert!(content(&store) == before);
}

#[test]
fn a_database_in_use_or_without_documents_is_refused_and_left_alone() {
    let mut sample = Sample::new(Metric::L2);
    let to = sample.path.with_file_name("new.postil");
    let refused =
        Store::rebuild(&sample.path, &to, StoreOptions::default(), None, &mut no_encoder).unwrap_err();
    assert!(matches!(refused, StorageError::Locked { pid, .. } if pid == std::process::id()));
    assert!(!to.exists());
    sample.store = None;
    std::fs::remove_dir_all(sample.path.join("documents")).unwrap();
    let refused = rebuild(&mut sample, None, &mut no_encoder).unwrap_err();
    assert!(matches!(refused, StorageError::NotADatabase { .. }), "{refused}");
}

#[test]
fn a_lost_lock_file_is_no_hindrance() {
    let mut sample = Sample::new(Metric::L2);
    sample.store = None;
    std::fs::remove_file(sample.path.join("LOCK")).unwrap();
    let (rebuilt, _) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert_eq!((rebuilt.documents, rebuilt.lost), (LIVE, vec![]));
}

#[test]
fn what_passed_higher_limits_once_is_taken_over() {
    let mut sample = Sample::new(Metric::L2);
    sample.store = None;
    let options = StoreOptions { max_title_bytes: 1 << 20, max_metadata_bytes: 1 << 20, ..Sample::options() };
    let (title, field) = ("t".repeat(500_000), "f".repeat(500_000));
    {
        let store = Store::open(&sample.path, options).unwrap();
        let mut batch = Batch::new();
        let metadata = Metadata::from([("long".to_owned(), Value::String(field))]);
        batch.upsert(DocumentWrite { title, ..DocumentWrite::row("large", vec![1.0; DIMENSION], metadata) });
        store.commit(batch).unwrap();
    }
    let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert_eq!((rebuilt.documents, rebuilt.lost.as_slice()), (LIVE + 1, &[][..]));
    assert_eq!(store.document("large").unwrap().unwrap().title.len(), 500_000);
}

#[test]
fn the_segment_of_another_database_is_not_believed() {
    let (mut sample, mut other) = (Sample::new(Metric::L2), Sample::new(Metric::L2));
    other.store().compact().unwrap();
    other.store = None;
    let segment = sample.segment();
    let theirs = segment::numbers(&other.path.join("segments"));
    let theirs = segment::file(&other.path.join("segments"), theirs[0]);
    sample.store = None;
    std::fs::copy(theirs, &segment).unwrap();
    let (rebuilt, _) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert!(rebuilt.lost[0].to_string().contains("not the segment that was written here"), "{rebuilt:?}");
    assert_eq!(rebuilt.documents, LIVE - LIVE_SEALED);
}

#[test]
fn commits_that_are_gone_from_the_documents_are_told() {
    let mut sample = Sample::new(Metric::L2);
    sample.store = None;
    let number = 99u64.to_le_bytes();
    let note = [&number[..], &crc32fast::hash(&number).to_le_bytes(), &[0; 4]].concat();
    std::fs::write(sample.path.join(COMMITTED), note).unwrap();
    let (rebuilt, _) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    assert_eq!(rebuilt.documents, LIVE);
    assert!(rebuilt.lost[0].to_string().contains("generation 99 was committed"), "{rebuilt:?}");
}

#[test]
fn of_a_run_only_the_rows_that_are_damaged_are_lost_with_and_without_a_manifest() {
    for with_manifest in [true, false] {
        let mut sample = Sample::new(Metric::L2);
        let documents = 100..100 + RUN_DOCUMENTS;
        let mut batch = Batch::new();
        documents.clone().for_each(|i| batch.upsert(document(i)));
        sample.store().commit(batch).unwrap();
        let before = content(sample.store());
        let run = sample.store().shared.current().growing.runs(usize::MAX).next().unwrap().path().to_owned();
        if !with_manifest {
            sample.tamper("manifest", b"manifest", None);
        }
        sample.store = None;
        // The second row of the second document, after a header of 128 bytes.
        flip(&run, 128 + 3 * 4 * DIMENSION + 5);
        let profile = Some(Profile::new(DIMENSION, Metric::L2));
        let mut asked = Vec::new();
        let mut embed = |_: &Profile, document: &DocumentWrite, passages: &[usize]| {
            asked.push((document.key.clone(), passages.to_vec()));
            Err("there is no encoder".into())
        };
        let (rebuilt, store) = rebuild(&mut sample, profile, &mut embed).unwrap();
        assert_eq!(asked, [("key 101".to_owned(), vec![1])]);
        let lost = names(&rebuilt.lost);
        assert!(lost.contains(&"key 101") && lost.iter().any(|name| name.ends_with(".run")), "{lost:?}");
        let mut expected = before;
        expected.remove("key 101");
        assert_eq!(content(&store), expected);
    }
}

#[test]
fn rows_of_a_segment_that_the_documents_forgot_are_found_in_it_and_opening_leaves_it() {
    let mut sample = Sample::new(Metric::L2);
    let mut batch = Batch::new();
    (100..100 + RUN_DOCUMENTS).for_each(|i| batch.upsert(document(i)));
    sample.store().commit(batch).unwrap();
    let before = content(sample.store());
    sample.store = None;
    let trees = rewrite::current(&sample.path).unwrap().unwrap().1;
    let earlier = files(&trees);
    sample.store = Some(Store::open(&sample.path, Sample::options()).unwrap());
    sample.store().seal().unwrap();
    sample.store = None;
    // A torn end of the log has this effect: the trees are those before the adoption, and the run's
    // file was removed since.
    std::fs::remove_dir_all(&trees).unwrap();
    for (path, bytes) in earlier {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let error = Store::open(&sample.path, Sample::options()).unwrap_err().to_string();
    assert!(error.contains("segments"), "{error}");
    let (rebuilt, store) = rebuild(&mut sample, None, &mut no_encoder).unwrap();
    let doubtful = rebuilt.doubtful.len() as u64;
    assert_eq!((rebuilt.documents, doubtful), (LIVE + RUN_DOCUMENTS, LIVE_SEALED + RUN_DOCUMENTS));
    assert_eq!(content(&store), before);
}
