//! The `quote` generator as a generator: its distributions, its candidates, its refusals.

use std::sync::Arc;

use postil_contract::{Decoding, EncodeError, Encoder, GenerateError, Generator, Passage};
use postil_generator::{DEFAULT_NO_ANSWER_SIMILARITY, Mode, QuoteGenerator, exhaustive, prior};

use crate::support::BagOfWords;

fn quote() -> QuoteGenerator {
    QuoteGenerator::new(Arc::new(BagOfWords::new()))
}

const TEXTS: [&str; 3] = [
    "The leave is twenty days. The leave is paid. Cats sleep.",
    "Cats sleep. The leave is twenty days. Is the leave paid?",
    "",
];

fn passages() -> Vec<Passage<'static>> {
    TEXTS.map(Passage::untitled).to_vec()
}

#[test]
fn candidates_are_the_distinct_sentences_and_no_answer_each_from_where_it_stands() {
    let quote = quote();
    let decoding = quote.start("How long is the leave?", &passages()).unwrap();
    let candidates = decoding.candidates().unwrap();
    let texts: Vec<String> = candidates.iter().map(|c| decoding.text(c)).collect();
    assert_eq!(texts, ["The leave is twenty days.", "The leave is paid.", "Cats sleep.", ""]);
    assert_eq!(candidates[3][0], decoding.no_answer().unwrap());
    for (candidate, text) in candidates.iter().zip(&texts).take(3) {
        assert!(decoding.is_end(*candidate.last().unwrap()));
        for (z, passage) in TEXTS.iter().enumerate() {
            let origin = decoding.origin(z, candidate);
            assert_eq!(origin.is_some(), passage.contains(text.as_str()), "{text:?} in passage {z}");
            assert!(origin.is_none_or(|range| &passage[range] == text));
        }
    }
    assert_eq!(decoding.origin(0, &candidates[3]), None);
    assert_eq!(decoding.origin(9, &candidates[0]), None);
}

#[test]
fn every_line_is_normalized_or_silent_and_the_product_is_the_softmax_over_sentences() {
    let (quote, encoder) = (quote(), BagOfWords::new());
    let question = "How long is the leave?";
    let mut decoding = quote.start(question, &passages()).unwrap();
    let asked = encoder.encode_questions(&[question]).unwrap();
    let logit = |text: &str| -> f64 {
        let encoded = encoder.encode_passages(&[Passage::untitled(text)]).unwrap();
        20.0 * encoded
            .row(0)
            .unwrap()
            .iter()
            .zip(asked.row(0).unwrap())
            .map(|(a, b)| f64::from(a * b))
            .sum::<f64>()
    };
    let own = [
        ["The leave is twenty days.", "The leave is paid.", "Cats sleep."].as_slice(),
        &["Cats sleep.", "The leave is twenty days."],
        &[],
    ];
    let candidates = decoding.candidates().unwrap();
    let scores = decoding.score(&candidates).unwrap();
    for (candidate, scores) in candidates.iter().zip(&scores) {
        let text = decoding.text(candidate);
        for (z, own) in own.iter().enumerate() {
            let got: f64 = scores.tokens().map(|t| t[z].map_or(f64::NEG_INFINITY, f64::from)).sum();
            let total: f64 = own.iter().map(|s| logit(s).exp()).sum::<f64>()
                + f64::exp(20.0 * f64::from(DEFAULT_NO_ANSWER_SIMILARITY));
            let mass = match text.as_str() {
                "" => f64::exp(20.0 * f64::from(DEFAULT_NO_ANSWER_SIMILARITY)),
                text if own.contains(&text) => logit(text).exp(),
                _ => 0.0,
            };
            assert!(
                (got.exp() - mass / total).abs() < 1e-5,
                "{text:?} under {z}: {} {}",
                got.exp(),
                mass / total
            );
        }
    }
    for candidate in &candidates {
        step_by_step(quote.start(question, &passages()).unwrap().as_mut(), candidate);
    }
}

/// Checks that `score` agrees with `log_probs` and `advance`, token by token.
fn step_by_step(decoding: &mut dyn Decoding, answer: &Vec<u32>) {
    let scores = decoding.score(std::slice::from_ref(answer)).unwrap().remove(0);
    for (token, expected) in answer.iter().zip(scores.tokens()) {
        let log_probs = decoding.log_probs().unwrap();
        for (line, expected) in log_probs.row(0).chunks_exact(decoding.vocabulary()).zip(expected) {
            let total: f64 = line.iter().map(|v| f64::from(*v).exp()).sum();
            match expected {
                None => assert_eq!(total, 0.0),
                Some(expected) => {
                    assert!((total - 1.0).abs() < 1e-5, "{total}");
                    assert_eq!(line[*token as usize], *expected);
                }
            }
        }
        decoding.advance(&[0], &[*token]).unwrap();
    }
}

#[test]
fn rows_branch_merge_and_leave_the_trie_without_harm() {
    let quote = quote();
    let mut decoding = quote.start("leave", &passages()).unwrap();
    let candidates = decoding.candidates().unwrap();
    let first = candidates[0][0];
    decoding.advance(&[0, 0, 0], &[first, first, candidates[2][1]]).unwrap();
    let log_probs = decoding.log_probs().unwrap();
    assert_eq!((log_probs.rows(), log_probs.row(0)), (3, log_probs.row(1)));
    assert!(log_probs.row(2).iter().all(|v| *v == f32::NEG_INFINITY));
    assert!(matches!(decoding.advance(&[3], &[0]), Err(GenerateError::Shape { .. })));
    assert!(matches!(decoding.advance(&[0], &[u32::MAX]), Err(GenerateError::Shape { .. })));
    assert!(matches!(decoding.advance(&[], &[]), Err(GenerateError::Shape { .. })));
    assert!(matches!(decoding.score(&[vec![]]), Err(GenerateError::Shape { .. })));
    assert_eq!(decoding.log_probs().unwrap(), log_probs, "a refused advance changes nothing");

    // Each passage has its own prefix: one line per passage, from its row.
    let (own, other) = (candidates[0][0], candidates[2][0]);
    decoding.restart();
    decoding.advance(&[0, 0], &[own, other]).unwrap();
    let both = decoding.log_probs().unwrap();
    decoding.restart();
    let k = decoding.passages();
    let tokens: Vec<u32> = (0..k).map(|z| if z % 2 == 0 { own } else { other }).collect();
    decoding.advance_each(&vec![0; k], &tokens).unwrap();
    let each = decoding.log_probs().unwrap();
    assert!((0..k).all(|z| each.line(0, z) == both.line(z % 2, z)));
    let odd = decoding.advance_each(&[0], &[own]);
    assert!(matches!(odd, Err(GenerateError::Shape { .. })), "{k} passages");
}

#[test]
fn all_probability_is_somewhere_under_both_models() {
    let quote = quote();
    let log_prior = prior(&[0.7, 0.2, 0.4], 20.0);
    for mode in [Mode::Sequence, Mode::Token] {
        let mut decoding = quote.start("Are cats on paid leave for days?", &passages()).unwrap();
        let candidates = decoding.candidates().unwrap();
        let ranked = exhaustive(decoding.as_mut(), candidates, mode, &log_prior).unwrap();
        let total: f64 = ranked.iter().map(|h| h.marginal.log_prob.exp()).sum();
        assert!((total - 1.0).abs() < 1e-5, "{mode:?}: {total}");
    }
}

#[test]
fn a_sentence_longer_than_the_window_is_offered_in_pieces() {
    let quote = QuoteGenerator::new(Arc::new(BagOfWords::with_window(12)));
    let text = "word ".repeat(30) + "end, " + &"tail ".repeat(9);
    let decoding = quote.start("tail", &[Passage::untitled(&text)]).unwrap();
    let candidates = decoding.candidates().unwrap();
    assert!(candidates.len() > 3);
    for candidate in &candidates[..candidates.len() - 1] {
        let range = decoding.origin(0, candidate).unwrap();
        assert_eq!(text[range], decoding.text(candidate));
        assert!(candidate.len() <= 11);
    }
}

#[test]
fn titles_change_similarities_and_never_the_quotes() {
    let passages = [Passage { title: "Holiday pay", text: "It is twenty days." }];
    let probability = |with_titles| {
        let quote = quote().with_titles(with_titles);
        let mut decoding = quote.start("holiday pay", &passages).unwrap();
        let candidates = decoding.candidates().unwrap();
        assert_eq!(decoding.text(&candidates[0]), "It is twenty days.");
        exhaustive(decoding.as_mut(), candidates[..1].to_vec(), Mode::Sequence, &[0.0]).unwrap()[0]
            .marginal
            .log_prob
    };
    assert!(probability(true) > probability(false) + 1.0);
}

#[test]
fn a_higher_bar_makes_no_answer_more_probable() {
    let silence = |similarity| {
        let quote = quote().with_no_answer_similarity(similarity);
        let mut decoding = quote.start("leave", &passages()).unwrap();
        let token = decoding.no_answer().unwrap();
        exhaustive(decoding.as_mut(), vec![vec![token]], Mode::Sequence, &prior(&[0.0; 3], 1.0)).unwrap()[0]
            .marginal
            .log_prob
    };
    assert!(silence(0.2) < silence(0.4) && silence(0.4) < silence(0.9));
}

#[test]
fn headings_and_questions_are_offered_only_for_want_of_anything_else() {
    let quote = quote();
    let texts = |text: &str| -> Vec<String> {
        let decoding = quote.start("q", &[Passage::untitled(text)]).unwrap();
        decoding.candidates().unwrap().iter().map(|c| decoding.text(c)).filter(|t| !t.is_empty()).collect()
    };
    assert_eq!(texts("# Leave\nHow many days? Twenty."), ["Twenty."]);
    assert_eq!(texts("# Leave\nHow many days?"), ["Leave", "How many days?"]);
}

#[test]
fn what_cannot_be_answered_is_refused_with_the_reason() {
    let quote = QuoteGenerator::new(Arc::new(BagOfWords::with_window(8)));
    let refused = |question: &str, passages: &[Passage<'_>]| quote.start(question, passages).err().unwrap();
    assert!(matches!(refused("q", &[]), GenerateError::NoPassages));
    assert!(matches!(refused(" \n", &passages()), GenerateError::EmptyQuestion));
    let long = refused("one two three four five six seven", &passages());
    assert!(matches!(long, GenerateError::Encode(EncodeError::TooLong { .. })), "{long}");
    let bar = super::quoting::quote().with_no_answer_similarity(f32::NAN);
    assert!(matches!(bar.start("q", &passages()).err(), Some(GenerateError::Value { .. })));
}
