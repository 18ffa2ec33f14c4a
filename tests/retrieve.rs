//! Passages for a question, by meaning and words, through the public API.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

use std::sync::Arc;

use postil::HashEncoder;
use postil::{AskOptions, Database, Document, Error, Filter, RetrieveOptions, Retrieved, SearchOptions};

const QUESTION: &str = "where does the river elbe flow?";

/// Passages of one topic, and others.
fn rivers(home: &tempfile::TempDir) -> Database {
    let db = Database::options().encoder(Arc::new(HashEncoder::default()));
    let db = db.open(home.path().join("rivers.postil")).unwrap();
    let about = |(at, name): (usize, &str)| {
        let text = format!("Where does the river flow? To the sea: such is the course of the {name}.");
        Document::new(format!("{name}.txt"), text).with_metadata("at", at as i64)
    };
    let mut documents: Vec<Document> =
        ["Rhine", "Elbe", "Oder", "Weser", "Danube"].into_iter().enumerate().map(about).collect();
    documents
        .push(Document::new("bread.txt", "Flour, water, salt; an oven and an hour.").with_metadata("at", 9));
    db.ingest_all(documents, &postil::Watch::default()).unwrap();
    db
}

fn keys(found: &[Retrieved]) -> Vec<&str> {
    found.iter().map(|found| found.hit.key.as_str()).collect()
}

#[test]
fn words_decide_among_passages_of_one_topic() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    let found = db.retrieve(QUESTION, &RetrieveOptions::new(6)).unwrap();
    assert_eq!(found[0].hit.key, "Elbe.txt");
    assert_eq!(found[0].words, 1.0);
    assert!(found[1].words < 0.7, "the others share only what all have: {:?}", found[1]);
    let bread = found.iter().find(|found| found.hit.key == "bread.txt").unwrap();
    assert_eq!((bread.words, bread.relevance), (0.0, bread.hit.score));
    assert!(found.is_sorted_by(|a, b| a.relevance >= b.relevance));
}

#[test]
fn without_weight_the_ranking_is_that_of_the_search() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    let options = RetrieveOptions::new(4).words_weight(0.0);
    let found = db.retrieve(QUESTION, &options).unwrap();
    let hits = db.search(QUESTION, &SearchOptions::new(4)).unwrap();
    assert_eq!(found.iter().map(|found| found.hit.clone()).collect::<Vec<_>>(), hits);
    assert!(found.iter().all(|found| found.words == 0.0 && found.relevance == found.hit.score));
}

#[test]
fn the_first_k_are_the_same_whatever_k_is() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    let all = db.retrieve(QUESTION, &RetrieveOptions::new(6)).unwrap();
    for k in 1..6 {
        let found = db.retrieve(QUESTION, &RetrieveOptions::new(k)).unwrap();
        assert_eq!(keys(&found), keys(&all)[..k]);
    }
}

#[test]
fn what_a_filter_leaves_out_is_no_candidate() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    let filter: Filter = "at != 1".parse().unwrap();
    let options = RetrieveOptions::from(SearchOptions::new(9).filter(filter));
    let found = db.retrieve(QUESTION, &options).unwrap();
    assert_eq!(found.len(), 5);
    assert!(!keys(&found).contains(&"Elbe.txt"));
}

#[test]
fn the_prior_is_a_softmax_of_relevance() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    let options = AskOptions::new().k(3).score_scale(10.0);
    let found = db.retrieve(QUESTION, &options.retrieval()).unwrap();
    let weights: Vec<f64> = found.iter().map(|found| (10.0 * f64::from(found.relevance)).exp()).collect();
    let answer = db.ask_with(QUESTION, &options).unwrap();
    assert_eq!(answer.passages.len(), 3);
    for ((passage, found), weight) in answer.passages.iter().zip(&found).zip(&weights) {
        assert_eq!((&passage.document, passage.words), (&found.hit.key, found.words));
        let prior = weight / weights.iter().sum::<f64>();
        assert!((passage.prior - prior).abs() < 1e-5, "{} instead of {prior}", passage.prior);
    }
}

#[test]
fn a_weight_that_is_no_weight_and_a_k_of_none_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    for words_weight in [-1.0, f32::NAN, f32::INFINITY] {
        let options = RetrieveOptions::new(3).words_weight(words_weight);
        assert!(matches!(db.retrieve(QUESTION, &options), Err(Error::WordsWeight { .. })));
    }
    assert!(matches!(db.retrieve(QUESTION, &RetrieveOptions::new(0)), Err(Error::Storage(_))));
    assert!(matches!(db.retrieve(" ", &RetrieveOptions::new(3)), Err(Error::EmptyQuestion)));
}

#[test]
fn copies_of_a_passage_take_one_place_and_are_all_named() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    let notice = "Where does the river Elbe flow? See the notice about where the river Elbe flows.";
    for (copy, text) in [notice.to_owned(), notice.to_owned(), notice.replace(' ', "\r\n")].iter().enumerate()
    {
        db.ingest(Document::new(format!("copy{copy}.txt"), text)).unwrap();
    }
    for words_weight in [0.0, 6.0] {
        let options = RetrieveOptions::new(3).words_weight(words_weight).candidates(3);
        let found = db.retrieve(QUESTION, &options).unwrap();
        assert_eq!(found.len(), 3);
        let notices: Vec<_> = found.iter().filter(|found| found.hit.key.starts_with("copy")).collect();
        let [notice] = notices.as_slice() else { panic!("one place for all: {:?}", keys(&found)) };
        let mut named: Vec<&str> = notice.copies.iter().map(|place| place.document.as_str()).collect();
        named.push(&notice.hit.key);
        named.sort_unstable();
        assert_eq!(named, ["copy0.txt", "copy1.txt", "copy2.txt"]);
    }
    let answer = db.ask_with(QUESTION, &AskOptions::new().k(3)).unwrap();
    assert_eq!(answer.passages.iter().filter(|passage| !passage.copies.is_empty()).count(), 1);
    assert!((answer.passages.iter().map(|passage| passage.prior).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn the_same_words_under_another_heading_are_another_passage() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    for (key, who) in [("a.txt", "Adults"), ("b.txt", "Children"), ("c.txt", "Children")] {
        db.ingest(Document::new(key, "A ticket for the ferry costs five.").with_title(who)).unwrap();
    }
    let found = db.retrieve("ticket for the ferry", &RetrieveOptions::new(8)).unwrap();
    let tickets: Vec<_> = found.iter().filter(|found| found.hit.text.contains("ticket")).collect();
    assert_eq!(tickets.iter().map(|found| found.copies.len()).sum::<usize>(), 1);
    assert_eq!(tickets.len(), 2);
}

#[test]
fn more_copies_than_candidates_do_not_hide_what_else_there_is() {
    let home = tempfile::tempdir().unwrap();
    let db = rivers(&home);
    let copy = |at| Document::new(format!("copy{at}.txt"), "Where does the river Elbe flow? See below.");
    db.ingest_all((0..300).map(copy), &postil::Watch::default()).unwrap();
    let found = db.retrieve(QUESTION, &RetrieveOptions::new(5)).unwrap();
    assert_eq!(found.len(), 5);
    assert_eq!(found[0].copies.len(), 299);
    assert_eq!(found.iter().filter(|found| found.hit.key.starts_with("copy")).count(), 1);
}
