//! Citations while the documents change: each belongs to the state that was searched.
//!
//! `POSTIL_ANSWERS` is the number of questions asked, 300 by default; 10,000 is the long form.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use postil::HashEncoder;
use postil::QuoteGenerator;
use postil::extract::Kind;
use postil::{AskOptions, Citation, Database, Document};

const PLACES: [&str; 6] = ["depot", "harbour", "library", "museum", "station", "theatre"];
const ASKERS: u64 = 2;
/// Documents written meanwhile, at least.
const CHANGES: u64 = 60;

/// A page whose sentences name its version, and stand at other bytes in each version.
fn page(place: &str, version: u64) -> String {
    let pad = "<p>&amp; so on &mdash; <b>and</b> on.</p>\n".repeat((version * 7 % 23) as usize);
    format!(
        "<title>The {place}</title>{pad}<h1>Hours</h1><p>In version {version} the {place} opens at nine. \
         It is closed on the {version}th day.</p>{pad}<p>The {place} of version {version} has a roof.</p>"
    )
}

fn open(home: &tempfile::TempDir) -> Database {
    let encoder = Arc::new(HashEncoder::default());
    let generator = Arc::new(QuoteGenerator::new(encoder.clone()));
    let options = Database::options().encoder(encoder).generator(generator);
    options.open(home.path().join("places.postil")).unwrap()
}

/// Originals by place and version; one is there before its document is.
type Originals = Mutex<HashMap<(String, u64), String>>;

fn write(db: &Database, originals: &Originals, place: &str, version: u64) {
    let page = page(place, version);
    originals.lock().insert((place.to_owned(), version), page.clone());
    db.ingest(Document::from_bytes(place, page.as_bytes(), Kind::Html).unwrap()).unwrap();
}

/// The version that a quote names.
fn version(quote: &str) -> u64 {
    let mut numbers = quote.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.next_back().unwrap().parse().unwrap()
}

fn check(citation: &Citation, originals: &Originals) {
    let quote = &citation.quote;
    if !quote.contains(|c: char| c.is_ascii_digit()) {
        return;
    }
    let originals = originals.lock();
    let original = &originals[&(citation.document.clone(), version(quote))];
    let range = citation.range.start as usize..citation.range.end as usize;
    assert_eq!(&original[range], quote, "{citation:?}");
    assert_eq!(citation.title, format!("The {}", citation.document));
}

#[test]
fn a_citation_points_into_the_version_that_was_searched_while_documents_are_replaced() {
    let asked = std::env::var("POSTIL_ANSWERS").map_or(300, |number| number.parse().unwrap());
    let home = tempfile::tempdir().unwrap();
    let db = open(&home);
    let originals = Originals::default();
    PLACES.iter().for_each(|place| write(&db, &originals, place, 0));
    let stop = AtomicBool::new(false);
    let (answers, cited, changes) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let ask = || {
        for turn in 0.. {
            let is_enough = answers.fetch_add(1, Ordering::Relaxed) >= asked;
            if is_enough && changes.load(Ordering::Relaxed) >= CHANGES {
                break;
            }
            let place = PLACES[turn % PLACES.len()];
            let answer =
                db.ask_with(&format!("When does the {place} open?"), &AskOptions::default()).unwrap();
            let others = answer.alternatives.iter().flat_map(|other| &other.citations);
            for citation in answer.citations.iter().chain(others) {
                check(citation, &originals);
                cited.fetch_add(1, Ordering::Relaxed);
            }
        }
        stop.store(true, Ordering::Release);
    };
    std::thread::scope(|scope| {
        (0..ASKERS).for_each(|_| drop(scope.spawn(ask)));
        for change in 1.. {
            if stop.load(Ordering::Acquire) {
                break;
            }
            let place = PLACES[change as usize % PLACES.len()];
            if change % 5 == 0 {
                db.remove([place]).unwrap();
            }
            if change % 40 == 0 {
                db.compact(&postil::Watch::default()).unwrap();
            }
            write(&db, &originals, place, change);
            changes.store(change, Ordering::Relaxed);
        }
    });
    assert!(cited.into_inner() > asked, "most answers cite something");
}

#[test]
fn a_quote_from_a_text_stands_on_the_line_that_is_named_and_one_from_a_page_on_none() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home);
    let text = format!("The depot\n\n{}The depot opens at seven.\n", "Nothing here.\n".repeat(3000));
    db.ingest(Document::new("depot", text.clone())).unwrap();
    db.ingest(Document::from_bytes("page", page("harbour", 3).as_bytes(), Kind::Html).unwrap()).unwrap();
    let options = AskOptions::new().min_evidence(f64::NEG_INFINITY);
    let ask = |question: &str| db.ask_with(question, &options).unwrap().citations[0].clone();
    let of_text = ask("The depot opens at seven?");
    let line = text.lines().nth(of_text.line.unwrap() as usize - 1).unwrap();
    assert!(of_text.document == "depot" && line.starts_with(of_text.quote.lines().next().unwrap()));
    let of_page = ask("In version 3 the harbour opens at nine?");
    assert_eq!((of_page.document.as_str(), of_page.line), ("page", None));
}
