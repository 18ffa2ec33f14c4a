//! A database, its right answers, and the outcome of a damaged copy of it.

use crate::damage::Damage;
use postil_hostile::figures;
use postil_storage::{
    Batch, Document, DocumentWrite, Filter, Hit, Metadata, Metric, Passage, PassageWrite, Profile, Result,
    SearchOptions, Store, StoreOptions, Value,
};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// More rows than are scanned.
const DOCUMENTS: u64 = 230;
const PASSAGES: u64 = 10;
/// Documents of one commit: a 64th of the rows that make a segment, and a few more.
const RUN_DOCUMENTS: u64 = 27;
const K: usize = 5;
const DIMENSION: usize = 4;
/// Folder of the trees after the compaction.
pub(crate) const TREES: &str = "documents-000000000001";

pub(crate) fn options() -> StoreOptions {
    StoreOptions { m: 4, ef_construction: 20, min_free_bytes: 0, ..StoreOptions::default() }
}

/// Makes a document whose vectors depend on `seed`.
fn document(number: u64, seed: u64) -> DocumentWrite {
    let text = format!("document {number} of {seed}. ").repeat(10 + (number % 7) as usize);
    let passages = (0..PASSAGES).map(|i| {
        let component =
            |c: u64| ((number * 7919 + i * 104_729 + c * 1_299_709 + seed * 31) % 1009) as f32 / 100.0;
        PassageWrite {
            range: i..i + 9,
            source_range: i..i + 9,
            lead: 0..0,
            places: Vec::new(),
            heading: format!("passage {i}"),
            vector: (0..DIMENSION as u64).map(component).collect(),
        }
    });
    DocumentWrite {
        title: format!("title {number}"),
        text: text.clone(),
        passages: passages.collect(),
        ..DocumentWrite::row(
            format!("key {number}"),
            Vec::new(),
            Metadata::from([("year".into(), Value::Integer(number as i64 % 10))]),
        )
    }
}

fn batch(numbers: impl IntoIterator<Item = u64>, seed: u64) -> Batch {
    let mut batch = Batch::new();
    numbers.into_iter().for_each(|number| batch.upsert(document(number, seed)));
    batch
}

/// Makes a database with two segments, a base, growing rows, some of them in a run, and removals,
/// at `path`; returns it still open.
pub(crate) fn create(path: &Path, seed: u64) -> Store {
    let store = Store::create(path, Profile::new(DIMENSION, Metric::L2), options()).unwrap();
    store.commit(batch(0..DOCUMENTS, seed)).unwrap();
    store.compact().unwrap();
    // Too few rows to merge the first segment with them.
    store.commit(batch(DOCUMENTS..DOCUMENTS + 5, seed)).unwrap();
    store.seal().unwrap();
    // Opening writes sled's snapshot; later entries are in its log only.
    store.close().unwrap();
    let store = Store::open(path, options()).unwrap();
    for number in 0..10 {
        let mut batch = batch([DOCUMENTS + 5 + number], seed);
        batch.remove(format!("key {}", number * 20));
        store.commit(batch).unwrap();
    }
    // Enough rows for a run, and a removal among them.
    store.commit(batch(DOCUMENTS + 15..DOCUMENTS + 15 + RUN_DOCUMENTS, seed)).unwrap();
    let mut removal = Batch::new();
    removal.remove(format!("key {}", DOCUMENTS + 20));
    store.commit(removal).unwrap();
    store
}

/// All answers of a database.
#[derive(Clone, Debug, PartialEq)]
struct Answers {
    /// Hits through the graphs: each is only as good as the scores say.
    near: Vec<Vec<Hit>>,
    exact: Vec<Vec<Hit>>,
    filtered: Vec<Hit>,
    vectors: Vec<Option<Vec<f32>>>,
    documents: Vec<Document>,
    texts: Vec<Option<String>>,
    passages: Vec<Option<Vec<Passage>>>,
}

fn queries() -> impl Iterator<Item = [f32; DIMENSION]> {
    (0..6u8).map(|i| [f32::from(i), 5.0, f32::from(10 - i), 2.5])
}

fn ask(store: &Store) -> Result<Answers> {
    let few = SearchOptions::new(K).ef(24);
    let year = Filter::eq("year", 3i64);
    let keys = ["key 1", "key 77", "key 20", "key 232", "key 240", "key 247", "key 250"];
    Ok(Answers {
        near: queries().map(|query| store.search(&query, &few)).collect::<Result<_>>()?,
        exact: queries()
            .take(2)
            .map(|query| store.search(&query, &few.clone().exact()))
            .collect::<Result<_>>()?,
        filtered: store.search(&[1.0; DIMENSION], &few.clone().filter(year))?,
        vectors: [0, 3, 1000, 2310, 2400, 2455, 2501]
            .map(|row| store.vector(row))
            .into_iter()
            .collect::<Result<_>>()?,
        documents: store.documents().collect::<Result<_>>()?,
        texts: keys.map(|key| store.text(key)).into_iter().collect::<Result<_>>()?,
        passages: keys.map(|key| store.passages(key)).into_iter().collect::<Result<_>>()?,
    })
}

/// Outcome of using a damaged copy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// An error, or a report of `check`, that names the file.
    Detected,
    /// Everything is as before, and `check` says so.
    Harmless,
    /// A panic or a wrong answer, which must never happen.
    Wrong(String),
}

/// A database and its right answers.
pub(crate) struct Sample {
    folder: tempfile::TempDir,
    whole: PathBuf,
    answers: Answers,
    /// By query, the score of each row.
    scores: Vec<HashMap<u64, f32>>,
}

impl Sample {
    /// Takes the files as closing leaves them, or else as a kill does.
    pub(crate) fn new(is_closed: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole) = (folder.path().join("a.postil"), folder.path().join("whole.postil"));
        let store = create(&path, 0);
        let answers = ask(&store).unwrap();
        let all = SearchOptions::new(usize::MAX);
        let scores = queries().map(|query| store.search_rows(&query, &all).unwrap().into_iter().collect());
        let scores = scores.collect();
        if is_closed {
            store.close().unwrap();
            Store::open(&path, options()).unwrap().close().unwrap();
            copy(&path, &whole);
        } else {
            copy(&path, &whole);
            drop(store);
        }
        Self { folder, whole, answers, scores }
    }

    /// Returns the files below `folder` of the database, by their path in it.
    pub(crate) fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        list(&self.whole.join(folder), &mut files);
        files.sort();
        files.iter().map(|file| file.strip_prefix(&self.whole).unwrap().to_owned()).collect()
    }

    pub(crate) fn bytes(&self, file: &Path) -> Vec<u8> {
        std::fs::read(self.whole.join(file)).unwrap()
    }

    pub(crate) fn damaged(&self, file: &Path, damage: Damage) -> Outcome {
        self.with(file, damage.of(&self.bytes(file)).as_deref())
    }

    /// Returns the outcome of a copy that has other bytes in a file; `None` removes the file.
    pub(crate) fn with(&self, file: &Path, bytes: Option<&[u8]>) -> Outcome {
        let path = self.folder.path().join("damaged.postil");
        let _ = std::fs::remove_dir_all(&path);
        copy(&self.whole, &path);
        match bytes {
            Some(bytes) => std::fs::write(path.join(file), bytes).unwrap(),
            None => std::fs::remove_file(path.join(file)).unwrap(),
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.judge(&path, file)));
        outcome.unwrap_or_else(|_| Outcome::Wrong("it panicked".to_owned()))
    }

    fn judge(&self, path: &Path, file: &Path) -> Outcome {
        // Errors name a sled file by its folder.
        let ours = file.starts_with("segments") || file.ends_with("base") || file.components().count() == 1;
        let name = if ours { path.join(file) } else { path.join(TREES) };
        let named = |error: &dyn std::fmt::Display| {
            let text = error.to_string();
            let is_named = text.contains(name.to_str().unwrap());
            if is_named { Outcome::Detected } else { Outcome::Wrong(format!("does not say where: {text}")) }
        };
        let store = match Store::open(path, options()) {
            Ok(store) => store,
            Err(error) => return named(&error),
        };
        // Used before it is checked: the detection must not depend on what `check` reads.
        let answers = ask(&store);
        let reports = match store.check() {
            Ok(damage) => damage,
            Err(error) => return named(&error),
        };
        match answers {
            Err(error) => named(&error),
            Ok(answers) if answers == self.answers => {
                reports.first().map_or(Outcome::Harmless, |report| named(report))
            }
            Ok(answers) => match (self.only_found_others(answers), reports.first()) {
                (Ok(()), Some(report)) => named(report),
                (Ok(()), None) => Outcome::Wrong("found others, and nothing is reported".to_owned()),
                (Err(what), _) => Outcome::Wrong(what),
            },
        }
    }

    /// Through a damaged graph, other rows than the nearest may be found; each with its own score
    /// and text.
    fn only_found_others(&self, got: Answers) -> std::result::Result<(), String> {
        for (hits, scores) in got.near.iter().zip(&self.scores) {
            if hits.len() != K {
                return Err(format!("{} hits, not {K}", hits.len()));
            }
            for hit in hits {
                if scores.get(&hit.row) != Some(&hit.score) {
                    return Err(format!("row {} has score {}", hit.row, hit.score));
                }
            }
        }
        let others = Answers { near: self.answers.near.clone(), ..got };
        if others == self.answers { Ok(()) } else { Err("what no graph answers differs".to_owned()) }
    }
}

/// Number of cases by outcome.
#[derive(Default)]
pub(crate) struct Tally {
    detected: u64,
    harmless: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, outcome: &Outcome, of: &dyn std::fmt::Debug) {
        match outcome {
            Outcome::Detected => self.detected += 1,
            Outcome::Harmless => self.harmless += 1,
            Outcome::Wrong(what) => panic!("{of:?}: {what}"),
        }
    }

    pub(crate) fn report(&self, of: &str) {
        let (detected, harmless) = (self.detected, self.harmless);
        figures::report(
            "corruptions",
            &[
                ("of", of.into()),
                ("tried", (detected + harmless).into()),
                ("detected", detected.into()),
                ("harmless", harmless.into()),
            ],
        );
        assert!(detected > 0, "{of}: nothing was detected");
    }
}

/// Returns the number of cases: `bounded`, or that of the long form.
pub(crate) fn cases(bounded: usize) -> usize {
    let times = std::env::var("POSTIL_FUZZ_TIMES").ok().and_then(|times| times.parse::<usize>().ok());
    bounded * times.unwrap_or(1)
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if entry.is_dir() {
            copy(&entry, &to);
        } else {
            std::fs::copy(entry, to).unwrap();
        }
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}
