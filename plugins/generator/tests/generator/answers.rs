//! The public entry: answers, citations, alternatives, totals.

use std::ops::ControlFlow;
use std::sync::Arc;

use postil_contract::{GenerateError, Passage};
use postil_generator::{
    Answer, AnswerOptions, AnswerToken, BeamOptions, Citation, Constraints, Credit, Decode, Mode,
    QuoteGenerator, Retrieved, Sampling, answer, answer_watched,
};
use proptest::prelude::*;

use crate::UNWATCHED;
use crate::support::{BagOfWords, TableGenerator};

const MODES: [Mode; 2] = [Mode::Sequence, Mode::Token];

fn quote() -> QuoteGenerator {
    QuoteGenerator::new(Arc::new(BagOfWords::new()))
}

fn retrieved<'a>(texts: &[(&'a str, f32)]) -> Vec<Retrieved<'a>> {
    texts
        .iter()
        .map(|(text, score)| Retrieved { passage: Passage::untitled(text), relevance: *score })
        .collect()
}

fn options(mode: Mode) -> AnswerOptions {
    AnswerOptions {
        mode,
        unread_prior: 0.0,
        max_citations: 99,
        max_alternatives: 999,
        ..AnswerOptions::new(20.0)
    }
}

fn total(answer: &Answer) -> f64 {
    let listed: f64 = answer.alternatives.iter().map(|a| a.probability).sum();
    let silence = if answer.no_answer { 0.0 } else { answer.no_answer_probability };
    answer.probability + listed + silence + answer.other_probability
}

const LEAVE: [(&str, f32); 4] = [
    ("Parental leave is twenty days. Ask the office.", 0.80),
    ("The office is closed on Sunday.", 0.35),
    ("Dogs bark. Parental leave is twenty days.", 0.75),
    ("Parental leave is ten days.", 0.40),
];

#[test]
fn the_answer_is_a_sentence_cited_from_every_passage_that_has_it() {
    for mode in MODES {
        let passages = retrieved(&LEAVE);
        let found = answer(&quote(), "How many days is parental leave?", &passages, &options(mode)).unwrap();
        assert_eq!(
            (found.text.as_str(), found.no_answer, found.mode),
            ("Parental leave is twenty days.", false, mode)
        );
        assert_eq!(found.citations.iter().map(|c| c.passage).collect::<Vec<_>>(), [0, 2]);
        assert!((found.citations.iter().map(|c| c.posterior).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((found.posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((total(&found) - 1.0).abs() < 1e-5, "{mode:?}: {}", total(&found));
        assert_eq!(found.tokens.iter().map(|t| t.text.as_str()).collect::<String>(), found.text);
        let sum: f64 = found.tokens.iter().map(|t| t.log_prob).sum();
        assert!((sum - found.log_probability).abs() < 1e-9);
        for Citation { credit, range, quote, .. } in &found.citations {
            let Credit { passage, prior, leave_one_out, .. } = credit;
            assert_eq!(&passages[*passage].passage.text[range.clone()], quote);
            assert_eq!(quote, &found.text);
            assert!(*prior > 0.0 && *leave_one_out > 0.0 && leave_one_out.is_finite());
        }
    }
}

#[test]
fn one_passage_is_its_own_best_sentence_without_marginalization() {
    for mode in MODES {
        let found =
            answer(&quote(), "How many days is parental leave?", &retrieved(&LEAVE[..1]), &options(mode))
                .unwrap();
        assert_eq!(found.text, "Parental leave is twenty days.");
        let [citation] = found.citations.as_slice() else { panic!("{:?}", found.citations) };
        assert_eq!((citation.posterior, citation.prior, citation.leave_one_out), (1.0, 1.0, f64::INFINITY));
    }
}

#[test]
fn copies_of_a_passage_share_its_posterior_and_change_no_probability() {
    for mode in MODES {
        let ask = |texts: &[(&str, f32)]| {
            answer(&quote(), "How many days is parental leave?", &retrieved(texts), &options(mode)).unwrap()
        };
        let split = 0.8 + 0.5f32.ln() / 20.0;
        let one = ask(&LEAVE);
        let two = ask(&[(LEAVE[0].0, split), LEAVE[1], LEAVE[2], LEAVE[3], (LEAVE[0].0, split)]);
        assert_eq!(one.text, two.text);
        assert!((one.log_probability - two.log_probability).abs() < 1e-5);
        assert!((one.posteriors[0] - two.posteriors[0] - two.posteriors[4]).abs() < 1e-5);
        assert!((two.posteriors[0] - two.posteriors[4]).abs() < 1e-9);
        let mut cited: Vec<_> = two.citations.iter().map(|c| c.passage).collect();
        cited.sort_unstable();
        assert_eq!(cited, [0, 2, 4]);
    }
}

#[test]
fn the_last_passages_are_left_unread_when_they_have_next_to_nothing_of_the_prior() {
    let question = "How many days is parental leave?";
    for mode in MODES {
        let all = options(mode);
        // e^(20 * -0.45) is the prior of the last passage beside the first.
        let most = AnswerOptions { unread_prior: 0.001, ..all.clone() };
        let passages = retrieved(&[LEAVE[0], LEAVE[2], (LEAVE[3].0, 0.35)]);
        let alone = answer(&quote(), question, &passages[..2], &all).unwrap();
        let mut told = Vec::new();
        let found = answer_watched(&quote(), question, &passages, &most, UNWATCHED, &mut |token| {
            told.push(token.clone());
            ControlFlow::Continue(())
        });
        let found = found.unwrap();
        assert_eq!((&found.text, found.log_probability), (&alone.text, alone.log_probability));
        assert_eq!(found.posteriors, [&alone.posteriors[..], &[0.0]].concat());
        assert_eq!(found.priors, [&alone.priors[..], &[0.0]].concat());
        assert_eq!(told, found.tokens);
        let lines = found.tokens.iter().map(|token| &token.posterior);
        let spans =
            found.spans.iter().chain(&found.words).flat_map(|span| [&span.posterior, &span.log_ratio]);
        assert!(lines.chain(spans).all(|line| line.len() == 3 && line[2] == 0.0));

        let read = answer(&quote(), question, &passages, &all).unwrap();
        assert!(read.priors[2] > 0.0 && read.priors[2] < 0.001);
        assert!((read.probability - found.probability).abs() <= read.priors[2]);
    }
}

#[test]
fn a_question_nothing_supports_has_no_answer_and_shows_what_came_closest() {
    for mode in MODES {
        let found = answer(&quote(), "Who invented zeppelins?", &retrieved(&LEAVE), &options(mode)).unwrap();
        assert!(found.no_answer && found.text.is_empty() && found.citations.is_empty());
        assert!((found.no_answer_probability - found.probability).abs() < 1e-6);
        assert!((total(&found) - 1.0).abs() < 1e-5);
        assert!(!found.alternatives[0].text.is_empty() && !found.alternatives[0].citations.is_empty());
    }
}

#[test]
fn lists_keep_to_their_limits_and_the_rest_is_accounted_for() {
    let options = AnswerOptions { max_citations: 1, max_alternatives: 1, ..AnswerOptions::new(20.0) };
    let found = answer(&quote(), "How many days is parental leave?", &retrieved(&LEAVE), &options).unwrap();
    assert_eq!((found.citations.len(), found.alternatives.len()), (1, 1));
    assert!(found.other_probability > 0.0 && (total(&found) - 1.0).abs() < 1e-5);
}

#[test]
fn passages_without_text_can_only_say_that_there_is_no_answer() {
    let found =
        answer(&quote(), "How many?", &retrieved(&[("", 0.5), (" \n---", 0.1)]), &options(Mode::Token))
            .unwrap();
    assert!(found.no_answer && found.alternatives.is_empty());
    assert!((found.no_answer_probability - 1.0).abs() < 1e-6);
}

#[test]
fn control_characters_and_every_script_come_back_verbatim() {
    let text =
        "Nul\u{0}byte\u{1b}[31m leave\u{7}. Der Urlaub ist größer 🦀 leave.\u{2028}休暇は二十日です。 leave";
    let found = answer(&quote(), "leave", &retrieved(&[(text, 0.5)]), &options(Mode::Sequence)).unwrap();
    let said = [&found.citations[..]].into_iter().chain(found.alternatives.iter().map(|a| &a.citations[..]));
    let mut count = 0;
    for citation in said.flatten() {
        assert_eq!(text[citation.range.clone()], citation.quote);
        count += 1;
    }
    assert!(count >= 3, "{count}");
}

#[test]
fn a_generator_that_writes_freely_is_searched_and_watched_as_asked() {
    let table = TableGenerator { longest: 5, gaps: false };
    let passages = retrieved(&[("one", 0.3), ("two", 0.2), ("one", 0.1)]);
    let beams = BeamOptions::new(3);
    let searches = [
        Decode::Greedy,
        Decode::Sample(Sampling::new(5)),
        Decode::Beam(beams.clone()),
        Decode::Thorough(beams.clone()),
        Decode::Fast(beams.clone()),
        Decode::Union(beams),
    ];
    for (mode, search) in MODES.into_iter().flat_map(|mode| searches.clone().map(|search| (mode, search))) {
        let options =
            AnswerOptions { search: Some(search), min_evidence: f64::NEG_INFINITY, ..options(mode) };
        let mut watched = Vec::new();
        let watch = &mut |token: &AnswerToken| {
            watched.push(token.clone());
            ControlFlow::Continue(())
        };
        let found = answer_watched(&table, "q", &passages, &options, UNWATCHED, watch).unwrap();
        assert_eq!(watched.len(), found.tokens.len());
        for (watched, token) in watched.iter().zip(&found.tokens) {
            assert!(watched.text == token.text && (watched.log_prob - token.log_prob).abs() < 1e-9);
            assert!(watched.posterior.iter().zip(&token.posterior).all(|(a, b)| (a - b).abs() < 1e-9));
        }
        assert_eq!((found.no_answer, found.no_answer_probability), (false, 0.0));
        assert_eq!(found.tokens.iter().map(|t| t.text.as_str()).collect::<String>(), found.text);
        assert!((found.posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(found.citations.iter().all(|c| c.quote == passages[c.passage].passage.text));
    }
}

#[test]
fn numbers_that_cannot_be_computed_with_are_refused() {
    let ask = |passages: &[Retrieved<'_>], options: &AnswerOptions| {
        answer(&quote(), "q", passages, options).err().unwrap()
    };
    let good = AnswerOptions::new(20.0);
    assert!(matches!(ask(&[], &good), GenerateError::NoPassages));
    assert!(matches!(ask(&retrieved(&[("a", f32::NAN)]), &good), GenerateError::Value { .. }));
    assert!(matches!(ask(&retrieved(&[("a", f32::INFINITY)]), &good), GenerateError::Value { .. }));
    assert!(matches!(ask(&retrieved(&LEAVE), &AnswerOptions::new(f32::NAN)), GenerateError::Value { .. }));
    assert!(matches!(ask(&retrieved(&LEAVE), &AnswerOptions::new(-1.0)), GenerateError::Value { .. }));
    for unread_prior in [-0.1, 1.1, f64::NAN] {
        let wrong = AnswerOptions { unread_prior, ..good.clone() };
        assert!(matches!(ask(&retrieved(&LEAVE), &wrong), GenerateError::Value { .. }));
    }
    let none = AnswerOptions { constraints: Constraints::new(0), ..good };
    assert!(matches!(ask(&retrieved(&LEAVE), &none), GenerateError::Value { .. }));
}

/// Few words, so that sentences repeat within and across passages.
fn texts() -> impl Strategy<Value = Vec<(String, f32)>> {
    prop::collection::vec(("([ab語\n] ?(cat|leave|pay)[.!?] ){0,5}", -1f32..1.0), 1..5)
}

proptest! {
    #[test]
    fn whatever_the_passages_totals_are_one_and_quotes_verbatim(texts in texts(), token in any::<bool>()) {
        let given: Vec<(&str, f32)> = texts.iter().map(|(t, s)| (t.as_str(), *s)).collect();
        let mode = MODES[usize::from(token)];
        let found = answer(&quote(), "a leave", &retrieved(&given), &options(mode)).unwrap();
        prop_assert!((total(&found) - 1.0).abs() < 1e-4, "{}", total(&found));
        prop_assert!((found.posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let others = found.alternatives.iter().map(|other| (&other.text, &other.citations));
        for (text, citations) in others.chain([(&found.text, &found.citations)]) {
            prop_assert!(citations.is_sorted_by(|a, b| a.posterior >= b.posterior));
            for citation in citations {
                prop_assert_eq!(&given[citation.passage].0[citation.range.clone()], citation.quote.as_str());
                prop_assert_eq!(&citation.quote, text);
            }
        }
    }

    #[test]
    fn the_order_of_passages_changes_only_the_order(
        texts in texts(),
        turn in 0usize..5,
        token in any::<bool>(),
    ) {
        let given: Vec<(&str, f32)> = texts.iter().map(|(t, s)| (t.as_str(), *s)).collect();
        let mut turned = given.clone();
        turned.rotate_left(turn % given.len());
        let options = options(MODES[usize::from(token)]);
        let ask = |given: &[(&str, f32)]| answer(&quote(), "a leave", &retrieved(given), &options).unwrap();
        let (before, after) = (ask(&given), ask(&turned));
        prop_assert!((before.no_answer_probability - after.no_answer_probability).abs() < 1e-5);
        let probability = |answer: &Answer, text: &str| {
            let listed = answer.alternatives.iter().map(|a| (a.text.as_str(), a.probability));
            let mut all = listed.chain([(answer.text.as_str(), answer.probability)]);
            all.find(|(t, _)| *t == text).map(|(_, p)| p)
        };
        for alternative in &before.alternatives {
            let same = probability(&after, &alternative.text);
            let is_same = same.is_some_and(|p| (p - alternative.probability).abs() < 1e-5);
            prop_assert!(is_same, "{:?}", alternative.text);
        }
        if before.text == after.text {
            let mut posteriors = before.posteriors.clone();
            posteriors.rotate_left(turn % given.len());
            prop_assert!(posteriors.iter().zip(&after.posteriors).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}
