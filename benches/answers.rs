//! Retrieval and answer quality on a question set: passage recall, and the share of answerable
//! questions whose first quoted sentence holds a gold answer.
//!
//!     cargo bench --bench answers -- --set xquad.en [--distractors] [--no-answer-similarity 0.3]
//!
//! Prints one JSON line. `baseline` is the best sentence of the top passage alone: k = 1. Databases
//! are kept under target/, so a second run embeds only questions and sentences.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod corpus;
mod harness;

use std::sync::Arc;

use clap::Parser;
use corpus::{Question, Remembering};
use postil::evaluate::roc_area;
use postil::{AskOptions, Database, Mode, RetrieveOptions};
use postil_generator::{DEFAULT_NO_ANSWER_SIMILARITY, QuoteGenerator};
use serde_json::json;

#[derive(Parser)]
struct Args {
    /// Name of a set in the `eval/` folder of the data
    #[arg(long, default_value = "xquad.en")]
    set: String,
    /// Add the Wikipedia distractors to the corpus
    #[arg(long)]
    distractors: bool,
    /// Number of passages the answer is marginalized over
    #[arg(long, default_value_t = 5)]
    k: usize,
    /// Questions to use: the first half, the second half, or all
    #[arg(long, default_value = "all")]
    half: String,
    /// Similarities to try for the "no answer" candidate of `quote`; by default, the generator's
    /// own
    #[arg(long, value_delimiter = ',')]
    no_answer_similarity: Vec<f32>,
}

fn main() {
    let args: Args = harness::args();
    let data = corpus::data_folder();
    let encoder = Arc::new(Remembering::new(postil::open_model(postil::DEFAULT_MODEL).unwrap()));
    let suffix = if args.distractors { "-distractors" } else { "" };
    let path = format!("{}/target/eval/{}{suffix}.postil", env!("CARGO_MANIFEST_DIR"), args.set);
    std::fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();

    let mut documents = corpus::documents(&data.join(format!("eval/{}.corpus.jsonl", args.set))).unwrap();
    if args.distractors {
        documents.extend(corpus::documents(&data.join("retrieval/wiki_distractors.jsonl.xz")).unwrap());
    }
    let db = Database::options().encoder(encoder.clone()).open(&path).unwrap();
    let report = db.ingest_all(documents, &postil::Watch::default()).unwrap();
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);

    let mut questions = corpus::questions(&data.join(format!("eval/{}.jsonl", args.set))).unwrap();
    let middle = questions.len() / 2;
    match args.half.as_str() {
        "first" => questions.truncate(middle),
        "second" => drop(questions.drain(..middle)),
        _ => {}
    }
    let recall = recall(&db, &questions);
    db.close().unwrap();

    let settings = match args.no_answer_similarity.as_slice() {
        [] => vec![DEFAULT_NO_ANSWER_SIMILARITY],
        given => given.to_vec(),
    };
    for similarity in settings {
        let quote = QuoteGenerator::new(encoder.clone()).with_no_answer_similarity(similarity);
        let db = Database::options().encoder(encoder.clone()).generator(Arc::new(quote)).open(&path).unwrap();
        harness::print(&json!({
            "set": args.set, "half": args.half, "distractors": args.distractors,
            "questions": questions.len(), "k": args.k, "recall": recall,
            "no_answer_similarity": similarity,
            "sequence": measure(&db, &questions, args.k, Mode::Sequence),
            "token": measure(&db, &questions, args.k, Mode::Token),
            "baseline": measure(&db, &questions, 1, Mode::Sequence),
        }));
    }
}

/// Share of questions whose gold passage is among the first 1, 5, 10 hits.
fn recall(db: &Database, questions: &[Question]) -> serde_json::Value {
    let mut found = [0usize; 3];
    for question in questions {
        let hits = db.retrieve(&question.question, &RetrieveOptions::new(10)).unwrap();
        let rank = hits.iter().position(|found| found.hit.key == question.pid);
        for (count, k) in found.iter_mut().zip([1, 5, 10]) {
            *count += usize::from(rank.is_some_and(|rank| rank < k));
        }
    }
    let share = |count| count as f64 / questions.len() as f64;
    json!({ "1": share(found[0]), "5": share(found[1]), "10": share(found[2]) })
}

/// Answer quality of one mode.
fn measure(db: &Database, questions: &[Question], k: usize, mode: Mode) -> serde_json::Value {
    let (mut answerable, mut best_holds, mut given_holds, mut cited) = (0, 0, 0, 0);
    let mut no_answer = Vec::new();
    for question in questions {
        let options = AskOptions::new().k(k).mode(mode);
        let answer = db.ask_with(&question.question, &options).unwrap();
        let is_answerable = !question.answers.is_empty();
        no_answer.push((answer.abstention_score, !is_answerable, answer.no_answer));
        if !is_answerable {
            continue;
        }
        answerable += 1;
        // The best answer, even when "no answer" is more probable.
        let (best, citations) = match answer.alternatives.first() {
            Some(nearest) if answer.no_answer => (&nearest.text, &nearest.citations),
            _ => (&answer.text, &answer.citations),
        };
        let holds = |text: &str| {
            let text = text.to_lowercase();
            question.answers.iter().any(|gold| text.contains(&gold.to_lowercase()))
        };
        if holds(best) {
            best_holds += 1;
            given_holds += usize::from(!answer.no_answer);
            cited += usize::from(citations.first().is_some_and(|citation| citation.document == question.pid));
        }
    }
    let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
    let said = no_answer.iter().filter(|(_, _, said)| *said).count();
    let right = no_answer.iter().filter(|(_, unanswerable, said)| *unanswerable && *said).count();
    let unanswerable = no_answer.iter().filter(|(_, unanswerable, _)| *unanswerable).count();
    json!({
        "best_sentence_holds_answer": share(best_holds, answerable),
        "given_answer_holds_answer": share(given_holds, answerable),
        "top_citation_is_gold_passage_when_right": share(cited, best_holds),
        "abstained": share(said, no_answer.len()),
        "abstention_precision": share(right, said),
        "abstention_recall": share(right, unanswerable),
        "abstention_auroc": roc_area(&no_answer.iter().map(|(p, yes, _)| (*p, *yes)).collect::<Vec<_>>()),
    })
}
