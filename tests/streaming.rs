//! Answers of a generator that writes freely, through the public API: watched, broken off,
//! withheld, shown.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

#[path = "../plugins/generator/tests/generator/support/lines.rs"]
mod lines;

use std::ops::ControlFlow;
use std::sync::Arc;

use lines::{LineDecoding, Lines};
use postil::HashEncoder;
use postil::plugin::{Decoding, GenerateError, Generator, Passage, TokenId};
use postil::{AskOptions, Basis, BeamOptions, Database, Decode, Document, Error, Mode, Sampling};

/// Its vocabulary; the first ends an answer.
const WORDS: [&str; 7] = ["", "Forty ", "days ", "of ", "leave, ", "paid ", "\u{1b}[31mtwice."];

/// Says the words it knows in their order, as far as the passage has them; without any, anything.
struct Reciter;

impl Lines for Reciter {
    fn vocabulary(&self) -> usize {
        WORDS.len()
    }

    fn line(&self, passage: &str, prefix: &[TokenId]) -> Vec<f32> {
        let at = prefix.len() % WORDS.len();
        let next =
            WORDS.iter().cycle().skip(1).nth(at).filter(|w| w.is_empty() || passage.contains(w.trim()));
        let p = |word: &str| match next {
            Some(next) if passage.contains("leave") => 0.02 + if *next == word { 0.86 } else { 0.0 },
            _ => 1.0 / WORDS.len() as f64,
        };
        WORDS.iter().map(|word| p(word).ln() as f32).collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token == 0
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        tokens.iter().map(|token| WORDS[*token as usize]).collect()
    }
}

impl Generator for Reciter {
    fn name(&self) -> &str {
        "reciter"
    }

    fn start<'a>(
        &'a self,
        _: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        Ok(LineDecoding::start(self, passages))
    }
}

/// A database whose documents are about leave, or not.
fn open(home: &tempfile::TempDir, documents: &[(&str, &str)]) -> Database {
    let options = Database::options().encoder(Arc::new(HashEncoder::default())).generator(Arc::new(Reciter));
    let db = options.open(home.path().join("handbook.postil")).unwrap();
    for (key, text) in documents {
        db.ingest(Document::new(*key, *text)).unwrap();
    }
    db
}

const LEAVE: [(&str, &str); 2] = [
    ("leave.txt", "The office is old. Forty days of leave, paid \u{1b}[31mtwice. Ask early."),
    ("travel.txt", "Trains are booked by the front desk."),
];

const ANSWER: &str = "Forty days of leave, paid \u{1b}[31mtwice.";

#[test]
fn tokens_are_told_as_they_come_and_the_answer_cites_the_sentence() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, &LEAVE);
    let two = BeamOptions::quick(2);
    let beams =
        [Decode::Beam, Decode::Thorough, Decode::Fast, Decode::Union].map(|decode| decode(two.clone()));
    for decode in std::iter::once(Decode::Greedy).chain(beams) {
        for mode in [Mode::Sequence, Mode::Token] {
            let options = AskOptions::new().mode(mode).decode(decode.clone()).max_tokens(12);
            let mut told = String::new();
            let answer = db
                .ask_streaming("How much leave?", &options, &mut |token| {
                    assert!((token.posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                    told.push_str(&token.text);
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!(
                (answer.text.as_str(), told.as_str(), answer.finished),
                (ANSWER, ANSWER, true),
                "{decode}"
            );
            let [citation] = answer.citations() else { panic!("{:?}", answer.citations) };
            assert_eq!((citation.document.as_str(), citation.quote.as_str()), ("leave.txt", ANSWER));
            let text = db.text("leave.txt").unwrap().unwrap();
            assert_eq!(text[citation.range.start as usize..citation.range.end as usize], citation.quote);
            assert_eq!(answer.passages[citation.passage].document, "leave.txt");
            assert_eq!(answer.spans.len(), 2);
            assert_eq!(answer.evidence.unwrap().basis, Basis::NullPassage);
            assert_eq!(answer.stretches().len(), 1);
        }
    }
}

#[test]
fn a_watcher_that_breaks_keeps_what_there_is() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, &LEAVE);
    let options = AskOptions::new().decode(Decode::Greedy);
    let mut left = 3;
    let answer = db
        .ask_streaming("How much leave?", &options, &mut |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!((answer.text.as_str(), answer.finished, answer.tokens.len()), ("Forty days of", false, 3));
    assert!(answer.to_string().starts_with("Forty days of [1] …"), "{answer}");
}

#[test]
fn what_no_passage_supports_is_withheld_with_the_evidence_shown() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, &LEAVE[1..]);
    let answer = db.ask("How much leave?").unwrap();
    assert!(answer.no_answer && answer.text.is_empty() && answer.citations.is_empty());
    assert!(answer.evidence.unwrap().log_ratio.abs() < 1e-5 && answer.no_answer_probability > 0.5);
    let shown = answer.to_string();
    let nearest = "No answer found (probability";
    assert!(shown.starts_with(nearest) && shown.contains("\n\nThe nearest passage: "), "{shown}");
    assert!(!shown.contains("nats") && !shown.contains("posterior"), "{shown}");
    assert!(matches!(answer.withheld, Some(postil::Withheld::MinEvidence { .. })), "{:?}", answer.withheld);
    let explained = answer.explain();
    assert!(explained.contains(": the evidence, +0.00 nats, is below +2.00"), "{explained}");
    assert!(explained.contains("+0.00 nats over reading nothing") && explained.contains("by the evidence"));
    let markdown = answer.to_markdown();
    assert!(markdown.contains("The nearest passage: ") && !markdown.contains("nats"), "{markdown}");
    let daring = AskOptions::new().min_evidence(f64::NEG_INFINITY);
    assert!(!db.ask_with("How much leave?", &daring).unwrap().no_answer);
}

#[test]
fn renderings_paint_every_piece_of_text() {
    let home = tempfile::tempdir().unwrap();
    let answer = open(&home, &LEAVE).ask("How much leave?").unwrap();
    let neutral = answer.render_with(&|text, _| text.replace('\u{1b}', "?"));
    assert!(answer.to_string().contains('\u{1b}') && !neutral.contains('\u{1b}'));
    let coloured =
        answer.render_with(&|text, source| source.map_or(text.to_owned(), |n| format!("<{n}>{text}")));
    assert!(coloured.starts_with("<0>Forty days"), "{coloured}");
    assert!(answer.to_markdown().contains("\\[31mtwice.[^1]"), "{}", answer.to_markdown());
    assert!(!answer.explain().contains('\u{1b}'));
}

#[test]
fn equal_seeds_draw_equal_answers() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, &LEAVE);
    let draw = |seed| {
        let decode = Decode::Sample(Sampling { temperature: 2.0, ..Sampling::new(seed) });
        let options = AskOptions::new().decode(decode).max_tokens(8).min_evidence(f64::NEG_INFINITY);
        db.ask_with("How much leave?", &options).unwrap().conclusion.text
    };
    assert_eq!(draw(1), draw(1));
    assert!((2..9).any(|seed| draw(seed) != draw(1)));
}

#[test]
fn an_unknown_generator_is_an_error_that_lists_those_there_are() {
    let home = tempfile::tempdir().unwrap();
    let options = Database::options().encoder(Arc::new(HashEncoder::default())).generator_named("oracle");
    let db = options.open(home.path().join("handbook.postil")).unwrap();
    let error = db.generator().err().unwrap();
    assert!(matches!(error, Error::UnknownGenerator { .. }) && error.to_string().contains("quote"));
}

#[test]
fn a_passage_that_was_left_unread_keeps_its_place_and_is_shown_as_such() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, &LEAVE);
    let asked =
        |unread_prior| db.ask_with("How much leave?", &AskOptions::new().unread_prior(unread_prior)).unwrap();
    let (first, all) = (asked(1.0), asked(0.0));
    assert!(first.passages.len() > 1 && first.passages.len() == all.passages.len());
    let unread = |passage: &&postil::PassagePosterior| passage.prior == 0.0 && passage.posterior == 0.0;
    assert_eq!(first.passages.iter().filter(unread).count(), first.passages.len() - 1);
    assert!(first.tokens.iter().all(|token| token.posterior.len() == first.passages.len()));
    assert_eq!(first.explain().matches(", not read").count(), first.passages.len() - 1);
    assert!(!all.explain().contains("not read") && !all.passages.iter().any(|passage| unread(&passage)));
}

#[test]
fn note_1_of_an_answer_is_p1_of_its_explanation() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, &[LEAVE[0], ("much.txt", "Ask how old the office is.")]);
    let options = AskOptions::new().unread_prior(0.0).words_weight(0.0);
    let answer = db.ask_with("Ask how old the office of leave early is.", &options).unwrap();
    // What is nearer to the question does not have its answer.
    assert_eq!((answer.passages[0].document.as_str(), answer.citations[0].passage), ("much.txt", 1));
    let explained = answer.explain();
    let row = |start: &str| explained.lines().find(|line| line.trim_start().starts_with(start)).unwrap();
    assert!(row("p1 ").contains("leave.txt") && row("p1 ").ends_with(" [1]"), "{explained}");
    assert!(row("p2 ").contains("much.txt") && explained.contains(": p1 "), "{explained}");
    let columns: Vec<f64> = row("\"days \"").split_whitespace().rev().take(2).flat_map(str::parse).collect();
    assert!(columns[1] > columns[0], "{explained}");
}
