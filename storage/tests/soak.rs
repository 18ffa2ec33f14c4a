//! Eight readers beside a writer that adds, replaces, removes and compacts: every answer is that of
//! one committed state.
//!
//! The states are known: the writer keeps each one, and a document's content is a function of its
//! key and its version. A reader notes the last committed state before and after each query; the
//! answer must be that of one of the states between, in full: its passages, their scores and texts.
//! Runs 10 seconds, or as many minutes as `POSTIL_SOAK_MINUTES` says, and longer if the readers had
//! too few answers by then.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_hostile::figures;
use postil_storage::{
    Batch, DocumentWrite, Filter, Hit, Metadata, Metric, PassageWrite, Profile, SearchOptions, Store,
    StoreOptions, Value,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

const READERS: u64 = 8;
const DIMENSION: usize = 8;
const KEYS: u64 = 4_000;
/// Rows enough for searches to use graphs: fewer are scanned.
const AT_LEAST: usize = 2_500;
const K: usize = 10;
const COLORS: u64 = 40;
const SECONDS: u64 = 10;
/// Fewest answers and generations for a run to be meaningful.
const ANSWERS: u64 = 1_000;
const GENERATIONS: u64 = 50;

/// SplitMix64 (Steele et al. 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn vector(&mut self) -> Vec<f32> {
        (0..DIMENSION).map(|_| (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
    }
}

/// Returns the vector of a version of a document.
fn vector(key: u64, version: u64) -> Vec<f32> {
    Random(key << 32 | version).vector()
}

fn text(key: u64, version: u64) -> String {
    format!("document {key} at version {version}")
}

fn color(key: u64, version: u64) -> i64 {
    ((key + version) % COLORS) as i64
}

fn document(key: u64, version: u64) -> DocumentWrite {
    let text = text(key, version);
    DocumentWrite {
        key: key.to_string(),
        title: version.to_string(),
        content_hash: [0; 32],
        metadata: Metadata::from([("color".to_owned(), Value::Integer(color(key, version)))]),
        source_map: Vec::new(),
        passages: vec![PassageWrite {
            range: 0..text.len() as u64,
            source_range: version..version + 1,
            lead: 0..0,
            places: Vec::new(),
            heading: String::new(),
            vector: vector(key, version),
        }],
        text,
    }
}

/// Versions of the documents of one committed generation, by key.
type State = BTreeMap<u64, u64>;

/// Every state that a reader may still get an answer from.
struct History {
    states: RwLock<BTreeMap<u64, Arc<State>>>,
    /// The last generation known to be committed.
    committed: AtomicU64,
    /// The oldest generation that each reader may still get an answer from; older states are
    /// dropped.
    needed: Vec<AtomicU64>,
}

impl History {
    fn at(&self, generation: u64) -> Option<Arc<State>> {
        self.states.read().unwrap().get(&generation).cloned()
    }

    /// Adds a state before its commit: readers may see it before the commit returns.
    fn announce(&self, generation: u64, state: State) {
        let oldest = self.needed.iter().map(|needed| needed.load(Ordering::SeqCst)).min().unwrap();
        let mut states = self.states.write().unwrap();
        states.insert(generation, Arc::new(state));
        *states = states.split_off(&oldest);
    }

    /// Runs a query, and returns the generations that the answer may be from.
    fn asked<T>(&self, reader: usize, ask: impl FnOnce() -> T) -> (T, std::ops::RangeInclusive<u64>) {
        let before = self.committed.load(Ordering::SeqCst);
        self.needed[reader].store(before, Ordering::SeqCst);
        let answer = ask();
        // The generation after the last committed may be visible but not acknowledged yet.
        (answer, before..=self.committed.load(Ordering::SeqCst) + 1)
    }
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt()
}

/// True if every hit is one of the state, with its text and its score.
fn is_of(hits: &[Hit], query: &[f32], state: &State, passing: &dyn Fn(u64, u64) -> bool) -> bool {
    let is_one = |hit: &Hit| {
        let (key, version) = (hit.key.parse().unwrap(), hit.title.parse().unwrap());
        state.get(&key) == Some(&version)
            && passing(key, version)
            && hit.text == text(key, version)
            && hit.source_range == (version..version + 1)
            && hit.metadata["color"] == Value::Integer(color(key, version))
            && (hit.score + distance(query, &vector(key, version))).abs() < 1e-5
    };
    hits.iter().all(is_one) && hits.is_sorted_by(|a, b| a.score >= b.score)
}

/// Returns the scores of the nearest documents of the state.
fn nearest(query: &[f32], state: &State, passing: &dyn Fn(u64, u64) -> bool) -> Vec<f32> {
    let passing = state.iter().filter(|&(&key, &version)| passing(key, version));
    let mut scores: Vec<f32> =
        passing.map(|(&key, &version)| -distance(query, &vector(key, version))).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.truncate(K);
    scores
}

#[derive(Default)]
struct Tally {
    answers: AtomicU64,
    wrong: AtomicU64,
    found: AtomicU64,
    wanted: AtomicU64,
    examples: Mutex<Vec<String>>,
}

impl Tally {
    fn count(&self, right: bool, what: impl FnOnce() -> String) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        if !right {
            self.wrong.fetch_add(1, Ordering::Relaxed);
            self.examples.lock().unwrap().push(what());
        }
    }
}

fn read(store: &Store, history: &History, reader: usize, done: &AtomicBool, tally: &Tally) {
    let mut random = Random(reader as u64 * 7_919);
    while !done.load(Ordering::Relaxed) {
        match random.below(8) {
            0 => look_up(store, history, reader, random.below(KEYS), tally),
            draw => search(store, history, reader, draw, &mut random, tally),
        }
    }
}

/// Runs one search: one in seven is exact, two have a filter.
fn search(store: &Store, history: &History, reader: usize, draw: u64, random: &mut Random, tally: &Tally) {
    let (query, wanted) = (random.vector(), random.below(COLORS) as i64);
    let filtered = draw < 3;
    let passing = move |key, version| !filtered || color(key, version) == wanted;
    let mut options = SearchOptions::new(K);
    if filtered {
        options = options.filter(Filter::eq("color", wanted));
    }
    let exact = draw == 3 || filtered;
    options.exact = draw == 3;
    let (hits, generations) = history.asked(reader, || store.search(&query, &options).unwrap());
    let states: Vec<Arc<State>> = generations.clone().filter_map(|at| history.at(at)).collect();
    let of = states.iter().find(|state| {
        // A graph may miss a neighbour. It may not invent one, nor return fewer than there are; a
        // scan misses none.
        let expected = nearest(&query, state, &passing);
        let complete = hits.len() == expected.len()
            && (!exact || hits.iter().zip(&expected).all(|(hit, score)| (hit.score - score).abs() < 1e-5));
        complete && is_of(&hits, &query, state, &passing)
    });
    if let Some(state) = of
        && !exact
    {
        let expected = nearest(&query, state, &passing);
        let last = expected.last().copied().unwrap_or(f32::MIN) - 1e-5;
        tally.found.fetch_add(hits.iter().filter(|hit| hit.score >= last).count() as u64, Ordering::Relaxed);
        tally.wanted.fetch_add(expected.len() as u64, Ordering::Relaxed);
    }
    tally.count(of.is_some(), || {
        let found: Vec<_> = hits.iter().map(|hit| (&hit.key, &hit.title, hit.score)).collect();
        format!("draw {draw}, generations {generations:?}: {found:?}")
    });
}

fn look_up(store: &Store, history: &History, reader: usize, key: u64, tally: &Tally) {
    let name = key.to_string();
    // Each read is of its own moment.
    let (text_found, generations) = history.asked(reader, || store.text(&name).unwrap());
    let is_of = |state: Arc<State>| state.get(&key).map(|&version| text(key, version)) == text_found;
    let right = generations.clone().filter_map(|at| history.at(at)).any(is_of);
    tally.count(right, || format!("text of {key}, generations {generations:?}: {text_found:?}"));
    let (found, generations) = history.asked(reader, || store.written(&name).unwrap());
    let is_of = |state: Arc<State>| state.get(&key).map(|&version| document(key, version)) == found;
    let right = generations.clone().filter_map(|at| history.at(at)).any(is_of);
    tally.count(right, || format!("document {key}, generations {generations:?}: {found:?}"));
}

/// Writes until it is time and there were enough `answers`; returns the number of generations and
/// of compactions.
fn write(store: &Store, history: &History, until: Instant, answers: &AtomicU64) -> (u64, u64) {
    let mut random = Random(1);
    let mut state = State::new();
    let (mut generation, mut compactions) = (0, 0);
    while Instant::now() < until || generation < GENERATIONS || answers.load(Ordering::Relaxed) <= ANSWERS {
        generation += 1;
        let mut batch = Batch::new();
        let mut touched = State::new();
        let writes = if state.len() < AT_LEAST { 300 } else { 1 + random.below(60) };
        for _ in 0..writes {
            let key = random.below(KEYS);
            if touched.insert(key, generation).is_some() {
                continue;
            }
            if random.below(3) == 0 && state.len() > AT_LEAST {
                batch.remove(key.to_string());
                state.remove(&key);
            } else {
                batch.upsert(document(key, generation));
                state.insert(key, generation);
            }
        }
        history.announce(generation, state.clone());
        store.commit(batch).unwrap();
        assert_eq!(store.stat().unwrap().generation, generation);
        history.committed.store(generation, Ordering::SeqCst);
        match random.below(40) {
            0 => {
                store.compact().unwrap();
                compactions += 1;
            }
            1 => store.seal().unwrap(),
            _ => {}
        }
    }
    (generation, compactions)
}

#[test]
fn every_answer_beside_a_writer_is_that_of_one_committed_state() {
    let minutes: Option<u64> = std::env::var("POSTIL_SOAK_MINUTES").ok().map(|text| text.parse().unwrap());
    let length = Duration::from_secs(minutes.map_or(SECONDS, |minutes| minutes * 60));
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { seal_rows: 600, ef_construction: 60, ..StoreOptions::default() };
    let profile = Profile::new(DIMENSION, Metric::L2);
    let store = Store::create(folder.path().join("s.postil"), profile, options.clone()).unwrap();
    let history = History {
        states: RwLock::new(BTreeMap::from([(0, Arc::new(State::new()))])),
        committed: AtomicU64::new(0),
        needed: (0..READERS).map(|_| AtomicU64::new(0)).collect(),
    };
    let (done, tally) = (AtomicBool::new(false), Tally::default());
    let start = Instant::now();
    let (generations, compactions) = std::thread::scope(|scope| {
        for reader in 0..READERS as usize {
            let (store, history, done, tally) = (&store, &history, &done, &tally);
            scope.spawn(move || read(store, history, reader, done, tally));
        }
        let written = scope.spawn(|| write(&store, &history, start + length, &tally.answers)).join();
        done.store(true, Ordering::Relaxed);
        written.unwrap()
    });
    let seconds = start.elapsed().as_secs_f64();
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let recall = of(&tally.found) as f64 / of(&tally.wanted) as f64;
    let figures = [
        ("minutes", seconds / 60.0),
        ("readers", READERS as f64),
        ("generations", generations as f64),
        ("compactions", compactions as f64),
        ("answers", of(&tally.answers) as f64),
        ("wrong", of(&tally.wrong) as f64),
        ("recall", recall),
    ];
    figures::report("soak", &figures.map(|(name, value)| (name, value.into())));
    assert_eq!(of(&tally.wrong), 0, "{:#?}", tally.examples.lock().unwrap());
    assert!(of(&tally.answers) > ANSWERS && recall > 0.95, "{figures:?}");
    assert_eq!(store.check().unwrap(), vec![]);
    let last = history.at(generations).unwrap();
    drop(store);
    let store = Store::open(folder.path().join("s.postil"), options).unwrap();
    let stored: State = store
        .documents()
        .map(Result::unwrap)
        .map(|document| (document.key.parse().unwrap(), document.title.parse().unwrap()))
        .collect();
    assert!(stored == *last, "what was committed last is not what is there");
}
