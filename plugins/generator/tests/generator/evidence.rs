//! Credits of an answer, clause by clause, and the evidence for the whole answer.

use std::ops::ControlFlow;
use std::sync::Arc;

use postil_contract::{GenerateError, Generator, Passage};
use postil_generator::{
    Answer, AnswerOptions, Basis, BeamOptions, Constraints, Decode, Mode, QuoteGenerator, Retrieved,
    Sampling, Span, answer, answer_watched,
};
use proptest::prelude::*;

use crate::UNWATCHED;
use crate::support::{BagOfWords, Bigrams, TableGenerator};

const MODES: [Mode; 2] = [Mode::Sequence, Mode::Token];

/// The first passage ends where the second continues; the third is about something else.
const LEAVE: [&str; 3] = ["Parents get forty days, as", "days, paid in full.", "Dogs bark at night."];

fn retrieved<'a>(texts: &[&'a str], scores: &[f32]) -> Vec<Retrieved<'a>> {
    let passage =
        |(text, score): (&&'a str, &f32)| Retrieved { passage: Passage::untitled(text), relevance: *score };
    texts.iter().zip(scores).map(passage).collect()
}

fn greedy(mode: Mode) -> AnswerOptions {
    let constraints = Constraints::new(9);
    AnswerOptions { mode, search: Some(Decode::Greedy), constraints, ..AnswerOptions::new(1.0) }
}

fn texts<'a>(answer: &'a Answer, spans: &[Span]) -> Vec<&'a str> {
    spans.iter().map(|span| &answer.text[span.range.clone()]).collect()
}

#[test]
fn each_clause_is_credited_to_the_passage_that_says_it() {
    let passages = retrieved(&["Parents get forty days,", LEAVE[1], LEAVE[2]], &[0.6, 0.2, -2.0]);
    let found = answer(&Bigrams::of(&LEAVE), "q", &passages, &greedy(Mode::Token)).unwrap();
    assert_eq!(found.text, "Parents get forty days, paid in full.");
    assert_eq!(texts(&found, &found.spans), ["Parents get forty days, ", "paid in full."]);
    assert_eq!(found.words.len(), 7);
    assert_eq!(found.spans.iter().map(|s| s.sources.as_slice()).collect::<Vec<_>>(), [&[0][..], &[1]]);
    assert!(found.finished && !found.no_answer);
    let mut cited: Vec<usize> = found.citations.iter().map(|c| c.passage).collect();
    cited.sort_unstable();
    assert_eq!(cited, [0, 1], "and never the dogs");
}

#[test]
fn a_clause_that_needs_no_passage_is_unsupported_however_sure_its_posterior() {
    let bigrams = Bigrams::of(&LEAVE);
    let passages = retrieved(&[LEAVE[1]], &[0.5]);
    let strict =
        AnswerOptions { credit_log_ratio: 1e3, min_evidence: f64::NEG_INFINITY, ..greedy(Mode::Token) };
    let found = answer(&bigrams, "q", &passages, &strict).unwrap();
    assert!(found.spans.iter().all(|s| s.posterior == [1.0] && s.sources.is_empty()));
    assert!(found.citations.is_empty(), "a posterior of 1 among one passage is no support");
    let found = answer(&bigrams, "q", &passages, &greedy(Mode::Token)).unwrap();
    assert!(found.spans.iter().any(|s| s.sources == [0]) && found.citations.len() == 1);
}

#[test]
fn the_sentence_shown_is_the_one_that_shares_the_credited_words() {
    let text = "The town is old. Forty days of leave. Dogs bark at night.";
    let bigrams = Bigrams::of(&["Forty days of leave."]);
    let text_of_leave = format!("Forty days of leave. {text}");
    let found =
        answer(&bigrams, "q", &retrieved(&[&text_of_leave[..]], &[0.5]), &greedy(Mode::Sequence)).unwrap();
    assert_eq!(found.text, "Forty days of leave.");
    let citation = &found.citations[0];
    assert_eq!(citation.quote, "Forty days of leave.");
    assert_eq!(text_of_leave[citation.range.clone()], citation.quote);
}

#[test]
fn the_evidence_is_the_answer_against_the_empty_passage() {
    let mut bigrams = Bigrams::of(&LEAVE);
    let passages = retrieved(&LEAVE, &[0.3, 0.6, 0.0]);
    let beams = BeamOptions::new(3);
    for search in
        [Decode::Greedy, Decode::Sample(Sampling::new(4)), Decode::Beam(beams.clone()), Decode::Union(beams)]
    {
        for mode in MODES {
            let is_union = matches!(search, Decode::Union(_));
            let options = AnswerOptions {
                search: Some(search.clone()),
                min_evidence: f64::NEG_INFINITY,
                ..greedy(mode)
            };
            bigrams.is_fixed = true;
            let found = answer(&bigrams, "q", &passages, &options).unwrap();
            let evidence = found.evidence.unwrap();
            // Without a passage all tokens are equally likely, and under a union either end token
            // counts as the end.
            let each = -((2 + 12) as f64).ln();
            let ends = if is_union && found.finished { 2f64.ln() } else { 0.0 };
            let null = found.tokens.len() as f64 * each + ends;
            assert!(
                (evidence.null_log_probability - null).abs() < 1e-5,
                "{mode:?} {search:?} {evidence:?} {null}"
            );
            assert!((evidence.log_ratio - (found.log_probability - null)).abs() < 1e-5);
            assert_eq!((evidence.basis, evidence.grounded_probability), (Basis::NullPassage, 1.0));
            if is_union {
                continue;
            }
            // The empty passage gives the same numbers when it is read with the others, and changes
            // nothing.
            bigrams.is_fixed = false;
            let along = answer(&bigrams, "q", &passages, &options).unwrap();
            assert_eq!((&along.text, &along.posteriors), (&found.text, &found.posteriors));
            assert!((along.evidence.unwrap().log_ratio - evidence.log_ratio).abs() < 1e-6);
            assert_eq!(along.spans.len(), found.spans.len());
        }
    }
}

#[test]
fn a_question_nothing_supports_is_not_answered_and_what_was_found_is_shown() {
    // The passages hold no word that the generator knows, so its answer does not come from them.
    let bigrams = Bigrams::of(&LEAVE);
    let passages = retrieved(&["Zeppelins rise.", "Zeppelins fall."], &[0.9, 0.8]);
    for mode in MODES {
        let found = answer(&bigrams, "Who flew?", &passages, &greedy(mode)).unwrap();
        assert!(found.no_answer && found.text.is_empty() && found.citations.is_empty());
        assert!(found.tokens.is_empty() && found.spans.is_empty());
        let evidence = found.evidence.unwrap();
        assert!(evidence.log_ratio.abs() < 1e-5 && evidence.basis == Basis::NullPassage);
        assert!(found.no_answer_probability > 0.5 && found.probability == found.no_answer_probability);
        assert!((found.no_answer_probability + evidence.grounded_probability - 1.0).abs() < 1e-12);
        assert!((found.posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let daring = AnswerOptions { min_evidence: f64::NEG_INFINITY, ..greedy(mode) };
        let given = answer(&bigrams, "Who flew?", &passages, &daring).unwrap();
        assert!(!given.no_answer && given.no_answer_probability == 0.0);
        assert_eq!(found.alternatives[0].text, given.text);
    }
}

#[test]
fn the_evidence_needed_is_where_no_answer_becomes_likelier_than_not() {
    let bigrams = Bigrams::of(&LEAVE);
    let passages = retrieved(&LEAVE, &[0.3, 0.6, 0.0]);
    let ask = |min_evidence| {
        answer(&bigrams, "q", &passages, &AnswerOptions { min_evidence, ..greedy(Mode::Sequence) }).unwrap()
    };
    let ratio = ask(f64::NEG_INFINITY).evidence.unwrap().log_ratio;
    for (bar, is_withheld) in [(ratio - 0.1, false), (ratio + 0.1, true)] {
        let found = ask(bar);
        assert_eq!((found.no_answer, found.no_answer_probability > 0.5), (is_withheld, is_withheld));
    }
    for wrong in [f64::NAN, f64::INFINITY] {
        let options = AnswerOptions { min_evidence: wrong, ..greedy(Mode::Sequence) };
        assert!(matches!(answer(&bigrams, "q", &passages, &options), Err(GenerateError::Value { .. })));
    }
}

#[test]
fn a_quote_has_evidence_without_bound_and_its_entropy_is_that_of_all_candidates() {
    let texts =
        ["Parental leave is twenty days. Ask the office.", "Dogs bark. Parental leave is ten days.", ""];
    let quote = QuoteGenerator::new(Arc::new(BagOfWords::new()));
    for (mode, question) in MODES.into_iter().flat_map(|m| [(m, "How long is parental leave?"), (m, "Who?")])
    {
        let options = AnswerOptions { mode, max_alternatives: 99, ..AnswerOptions::new(20.0) };
        let found = answer(&quote, question, &retrieved(&texts, &[0.7, 0.6, 0.5]), &options).unwrap();
        let evidence = found.evidence.unwrap();
        assert_eq!((evidence.basis, evidence.log_ratio), (Basis::NoAnswerToken, f64::INFINITY));
        assert_eq!(evidence.grounded_probability, 1.0);
        assert!(
            found.spans.iter().all(|s| !s.sources.is_empty() && s.log_ratio[s.sources[0]] == f64::INFINITY)
        );
        if mode == Mode::Sequence {
            let silence = if found.no_answer { 0.0 } else { found.no_answer_probability };
            let all = found.alternatives.iter().map(|a| a.probability).chain([found.probability, silence]);
            let entropy: f64 = all.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
            let split = evidence.disagreement;
            assert!((split.unsure + split.disagree - entropy).abs() < 1e-5, "{split:?} {entropy}");
        }
    }
}

#[test]
fn a_watcher_that_breaks_gets_what_there_is_of_the_answer() {
    let mut seen = String::new();
    let options = AnswerOptions { min_evidence: f64::NEG_INFINITY, ..greedy(Mode::Sequence) };
    let found = answer_watched(
        &Bigrams::of(&LEAVE),
        "q",
        &retrieved(&LEAVE, &[0.1, 0.6, 0.0]),
        &options,
        UNWATCHED,
        &mut |token| {
            seen.push_str(&token.text);
            if seen.contains("paid") { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )
    .unwrap();
    assert_eq!((found.text.as_str(), seen.trim(), found.finished), ("days, paid", "days, paid", false));
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
}

/// Passages of few words, so that they share and repeat some.
fn passages() -> impl Strategy<Value = Vec<(String, f32)>> {
    prop::collection::vec(("((cat|leave,|pay|day.|so) ){0,6}", -1f32..1.0), 1..5)
}

proptest! {
    #[test]
    fn spans_partition_the_text_and_their_posteriors_sum_to_one(
        given in passages(),
        token in any::<bool>(),
        seed in 0u64..99,
    ) {
        let (texts_of, scores): (Vec<&str>, Vec<f32>) = given.iter().map(|(t, s)| (t.as_str(), *s)).unzip();
        let options = AnswerOptions {
            search: Some(Decode::Sample(Sampling::new(seed))),
            min_evidence: f64::NEG_INFINITY,
            ..greedy(MODES[usize::from(token)])
        };
        let bigrams = Bigrams::of(&["cat leave, pay day. so"]);
        let found = answer(&bigrams, "q", &retrieved(&texts_of, &scores), &options).unwrap();
        for spans in [&found.words, &found.spans] {
            prop_assert_eq!(texts(&found, spans).concat(), &found.text[..]);
            prop_assert!(spans.is_sorted_by(|a, b| a.tokens.end == b.tokens.start));
            for span in spans {
                prop_assert!((span.posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                prop_assert!(span.sources.is_sorted_by(|a, b| span.posterior[*a] >= span.posterior[*b]));
                prop_assert!(span.log_ratio.iter().all(|ratio| !ratio.is_nan()));
            }
        }
        // A word is one token here, so RAG-Token credits both alike.
        if token {
            for word in &found.words {
                prop_assert_eq!(word.tokens.len(), 1);
                prop_assert!(close(&word.posterior, &found.tokens[word.tokens.start].posterior));
            }
        }
        for citation in &found.citations {
            prop_assert_eq!(&texts_of[citation.passage][citation.range.clone()], &citation.quote);
        }
    }

    #[test]
    fn turning_passages_turns_spans_and_a_copy_shares_their_posteriors(
        given in passages(),
        turn in 0usize..5,
        token in any::<bool>(),
    ) {
        let options = AnswerOptions { min_evidence: f64::NEG_INFINITY, ..greedy(MODES[usize::from(token)]) };
        let bigrams = Bigrams::of(&["cat leave, pay day. so"]);
        let ask = |given: &[(String, f32)]| {
            let (texts, scores): (Vec<&str>, Vec<f32>) = given.iter().map(|(t, s)| (t.as_str(), *s)).unzip();
            answer(&bigrams, "q", &retrieved(&texts, &scores), &options).unwrap()
        };
        let before = ask(&given);
        let mut turned = given.clone();
        turned.rotate_left(turn % given.len());
        let mut split = given.clone();
        split[0].1 -= 2f32.ln();
        split.push(split[0].clone());
        let (after, copied) = (ask(&turned), ask(&split));
        prop_assume!(before.text == after.text && before.text == copied.text);
        prop_assert!((before.evidence.unwrap().log_ratio - copied.evidence.unwrap().log_ratio).abs() < 1e-5);
        for (i, span) in before.spans.iter().enumerate() {
            let mut posterior = span.posterior.clone();
            posterior.rotate_left(turn % given.len());
            prop_assert!(close(&posterior, &after.spans[i].posterior));
            let shared = &copied.spans[i].posterior;
            prop_assert!((shared[0] + shared[given.len()] - span.posterior[0]).abs() < 1e-5);
            let sources = &copied.spans[i].sources;
            let [first, copy] = [0, given.len()].map(|at| sources.contains(&at));
            prop_assert_eq!(first, copy, "copies are credited together");
        }
    }
}

#[test]
fn one_passage_leaves_the_plain_model() {
    let table = TableGenerator { longest: 5, gaps: false };
    let [sequence, token] = MODES.map(|mode| {
        let options = AnswerOptions { min_evidence: f64::NEG_INFINITY, ..greedy(mode) };
        answer(&table, "q", &retrieved(&["one"], &[0.3]), &options).unwrap()
    });
    assert_eq!((&sequence.text, sequence.log_probability), (&token.text, token.log_probability));
    let ids: Vec<u32> = sequence
        .tokens
        .iter()
        .map(|t| match t.text.as_str() {
            "a" => 1,
            "b" => 2,
            _ => 0,
        })
        .collect();
    let scores = table.start("q", &[Passage::untitled("one")]).unwrap().score(&[ids]).unwrap();
    let plain: f64 = scores[0].tokens().map(|t| f64::from(t[0].unwrap())).sum();
    assert!((plain - sequence.log_probability).abs() < 1e-9);
    assert_eq!(sequence.posteriors, [1.0]);
}
