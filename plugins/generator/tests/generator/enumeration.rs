//! The mathematics checked by brute force: every answer over a three-token vocabulary.

use std::ops::ControlFlow;

use postil_contract::{AnswerScores, Decoding, GenerateError, Generator, Passage};
use postil_generator::{
    BeamOptions, Constraints, Hypothesis, Mode, Proposed, Said, Sampling, beam, exhaustive, prior, sample,
    thorough, union,
};

use crate::support::TableGenerator;

const TEXTS: [&str; 4] = ["one", "two", "three", "four"];

fn passages() -> Vec<Passage<'static>> {
    TEXTS.map(Passage::untitled).to_vec()
}

/// The two formulas of Lewis et al. 2020, section 2.1, in plain probabilities.
fn by_definition(mode: Mode, prior: &[f64], scores: &AnswerScores) -> f64 {
    let p = |v: Option<f32>| v.map_or(0.0, |v| f64::from(v).exp());
    match mode {
        Mode::Sequence => {
            let likelihood = |z: usize| scores.tokens().map(|t| p(t[z])).product::<f64>();
            (0..prior.len()).map(|z| prior[z].exp() * likelihood(z)).sum()
        }
        Mode::Token => {
            let step = |t: &[Option<f32>]| {
                let said: f64 = t.iter().zip(prior).map(|(v, w)| w.exp() * p(*v)).sum();
                let speaking: f64 =
                    t.iter().zip(prior).filter(|(v, _)| v.is_some()).map(|(_, w)| w.exp()).sum();
                if speaking > 0.0 { said / speaking } else { 0.0 }
            };
            scores.tokens().map(step).product()
        }
    }
}

/// Greedy decoding without a watcher.
fn greedy(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    max: usize,
) -> Result<Hypothesis, GenerateError> {
    let watch = &mut |_: Said<'_>| ControlFlow::Continue(());
    postil_generator::greedy(decoding, mode, log_prior, &Constraints::new(max), 0.0, watch)
}

#[test]
fn all_answers_sum_to_one_and_each_is_what_the_formula_says() {
    let log_prior = prior(&[1.0, -0.5, 2.0, 0.25], 1.0);
    for gaps in [false, true] {
        let table = TableGenerator { longest: 6, gaps };
        for mode in [Mode::Sequence, Mode::Token] {
            let mut decoding = table.start("", &passages()).unwrap();
            let ranked = exhaustive(decoding.as_mut(), table.all(), mode, &log_prior).unwrap();
            let total: f64 = ranked.iter().map(|h| h.marginal.log_prob.exp()).sum();
            assert!((total - 1.0).abs() < 1e-5, "{mode:?}, gaps {gaps}: {total}");
            for found in &ranked {
                let expected = by_definition(mode, &log_prior, &found.scores);
                assert!(
                    (found.marginal.log_prob.exp() - expected).abs() < 1e-12,
                    "{mode:?} {:?}",
                    found.tokens
                );
            }
            assert!(ranked.is_sorted_by(|a, b| a.marginal.log_prob >= b.marginal.log_prob));
        }
    }
}

#[test]
fn greedy_takes_the_likeliest_token_of_the_mixture_at_each_step() {
    let log_prior = prior(&[0.5, 0.0, 1.0, -1.0], 1.0);
    for gaps in [false, true] {
        let table = TableGenerator { longest: 6, gaps };
        for mode in [Mode::Sequence, Mode::Token] {
            let mut decoding = table.start("", &passages()).unwrap();
            let all = exhaustive(decoding.as_mut(), table.all(), mode, &log_prior).unwrap();
            let found = greedy(decoding.as_mut(), mode, &log_prior, 6).unwrap();
            assert!(found.finished);
            // The probability of a prefix is that of all answers that begin with it.
            let mass = |prefix: &[u32]| -> f64 {
                all.iter().filter(|h| h.tokens.starts_with(prefix)).map(|h| h.marginal.log_prob.exp()).sum()
            };
            for i in 0..found.tokens.len() {
                let of = |token: u32| mass(&[&found.tokens[..i], &[token]].concat());
                assert!(
                    (0..3).all(|t| of(found.tokens[i]) >= of(t) - 1e-6),
                    "{mode:?} {:?} at {i}",
                    found.tokens
                );
            }
            let same = all.iter().find(|h| h.tokens == found.tokens).unwrap();
            assert!((same.marginal.log_prob - found.marginal.log_prob).abs() < 1e-12);
        }
    }
}

#[test]
fn an_answer_cut_at_the_limit_is_not_finished() {
    let table = TableGenerator { longest: 9, gaps: false };
    let log_prior = prior(&[0.0; 4], 1.0);
    let mut decoding = table.start("", &passages()).unwrap();
    let cut = greedy(decoding.as_mut(), Mode::Token, &log_prior, 1).unwrap();
    assert_eq!((cut.tokens.len(), cut.finished), (1, cut.tokens == [0]));
    assert!(greedy(decoding.as_mut(), Mode::Token, &log_prior, 0).is_err());
    assert!(greedy(decoding.as_mut(), Mode::Token, &log_prior[..2], 4).is_err());
}

#[test]
fn a_beam_as_wide_as_the_answers_finds_the_best_and_scores_all_exactly() {
    let log_prior = prior(&[0.5, 0.0, 1.0, -1.0], 1.0);
    for gaps in [false, true] {
        let table = TableGenerator { longest: 6, gaps };
        for mode in [Mode::Sequence, Mode::Token] {
            let mut decoding = table.start("", &passages()).unwrap();
            let all = exhaustive(decoding.as_mut(), table.all(), mode, &log_prior).unwrap();
            let options = BeamOptions::new(table.all().len());
            let found = beam(decoding.as_mut(), mode, &log_prior, &Constraints::new(6), &options).unwrap();
            for (found, expected) in found.iter().zip(&all) {
                assert!((found.score - expected.marginal.log_prob).abs() < 1e-9, "{mode:?}, gaps {gaps}");
                assert!((found.hypothesis.marginal.log_prob - found.score).abs() < 1e-9);
            }
            assert_eq!(found[0].hypothesis.tokens, all[0].tokens);
        }
    }
}

#[test]
fn a_margin_leaves_no_answer_that_is_more_probable_than_it() {
    let log_prior = prior(&[0.5, 0.0, 1.0, -1.0], 1.0);
    let constraints = Constraints::new(6);
    for (gaps, mode) in [(false, Mode::Sequence), (true, Mode::Sequence), (false, Mode::Token)] {
        let table = TableGenerator { longest: 6, gaps };
        let mut decoding = table.start("", &passages()).unwrap();
        let all = exhaustive(decoding.as_mut(), table.all(), mode, &log_prior).unwrap();
        let mut fewer = usize::MAX;
        for margin in [f64::INFINITY, 6.0, 4.0, 3.0] {
            let options = BeamOptions { margin, ..BeamOptions::new(table.all().len()) };
            decoding.restart();
            let found = beam(decoding.as_mut(), mode, &log_prior, &constraints, &options).unwrap();
            let united = union(decoding.as_mut(), mode, &log_prior, &constraints, &options).unwrap();
            // No answer has a probability above 1.
            let probable =
                all.iter().filter(|a| a.marginal.log_prob.is_finite() && a.marginal.log_prob >= -margin);
            for answer in probable {
                assert!(found.iter().any(|found| found.hypothesis.tokens == answer.tokens));
                assert!(united.iter().any(|found| found.tokens == answer.tokens));
            }
            assert!(united.len() >= found.len() && united.len() <= fewer, "{margin}");
            fewer = united.len();
        }
        assert!(fewer < all.len(), "{gaps}, {mode:?}: the least margin leaves some");
        for margin in [-1.0, f64::NAN] {
            let options = BeamOptions { margin, ..BeamOptions::new(2) };
            assert!(beam(decoding.as_mut(), mode, &log_prior, &constraints, &options).is_err());
        }
    }
}

#[test]
fn thorough_and_union_decoding_score_their_candidates_exactly() {
    let log_prior = prior(&[0.5, 0.0, 1.0, -1.0], 1.0);
    let table = TableGenerator { longest: 6, gaps: true };
    let (constraints, options) = (Constraints::new(6), BeamOptions::new(3));
    for mode in [Mode::Sequence, Mode::Token] {
        let mut decoding = table.start("", &passages()).unwrap();
        let all = exhaustive(decoding.as_mut(), table.all(), mode, &log_prior).unwrap();
        let exact = |h: &Hypothesis| all.iter().find(|a| a.tokens == h.tokens).unwrap().marginal.log_prob;
        let proposed = thorough(decoding.as_mut(), mode, &log_prior, &constraints, &options).unwrap();
        for proposed in &proposed {
            assert!((proposed.hypothesis.marginal.log_prob - exact(&proposed.hypothesis)).abs() < 1e-9);
            let whole: f64 = proposed
                .hypothesis
                .marginal
                .log_likelihoods
                .iter()
                .zip(&log_prior)
                .map(|(l, p)| (l + p).exp())
                .sum();
            assert!(proposed.fast_log_prob <= whole.ln() + 1e-9 && !proposed.found_in.is_empty());
        }
        let union = union(decoding.as_mut(), mode, &log_prior, &constraints, &options).unwrap();
        assert!(union.len() >= proposed.len());
        assert!(union.iter().all(|h| (h.marginal.log_prob - exact(h)).abs() < 1e-9));
        assert!(union[0].marginal.log_prob >= proposed[0].hypothesis.marginal.log_prob);
    }
}

#[test]
fn searches_that_share_a_decoding_find_what_each_finds_alone() {
    let log_prior = prior(&[0.5, 0.0, 1.0, -1.0], 1.0);
    for (gaps, beams) in [(false, 1), (false, 3), (true, 2), (true, 5)] {
        let table = TableGenerator { longest: 6, gaps };
        let (constraints, options) = (Constraints::new(6), BeamOptions::new(beams));
        let mut decoding = table.start("", &passages()).unwrap();
        decoding.advance(&[0, 0], &[1, 2]).unwrap(); // it starts again
        let together =
            thorough(decoding.as_mut(), Mode::Sequence, &log_prior, &constraints, &options).unwrap();
        for (z, text) in TEXTS.into_iter().enumerate() {
            let mut alone = table.start("", &[Passage::untitled(text)]).unwrap();
            let found = beam(alone.as_mut(), Mode::Sequence, &[0.0], &constraints, &options).unwrap();
            let here = |p: &&Proposed| p.found_in.contains(&z);
            assert_eq!(together.iter().filter(here).count(), found.len());
            for found in found {
                let same = |p: &&Proposed| p.hypothesis.tokens == found.hypothesis.tokens;
                assert!(together.iter().filter(here).any(|p| same(&p)), "passage {z}, {beams} beams");
            }
        }
    }
}

#[test]
fn samples_come_as_often_as_their_probabilities_say() {
    let log_prior = prior(&[0.5, 0.0, 1.0, -1.0], 1.0);
    let table = TableGenerator { longest: 4, gaps: true };
    const DRAWS: usize = 4000;
    for mode in [Mode::Sequence, Mode::Token] {
        let start = || table.start("", &passages()).unwrap();
        let draw = |seed: u64| {
            let watch = &mut |_: Said<'_>| ControlFlow::Continue(());
            sample(start().as_mut(), mode, &log_prior, &Constraints::new(4), &Sampling::new(seed), 0.0, watch)
                .unwrap()
                .tokens
        };
        assert_eq!(draw(7), draw(7));
        let drawn: Vec<_> = (0..DRAWS as u64).map(draw).collect();
        for expected in exhaustive(start().as_mut(), table.all(), mode, &log_prior).unwrap() {
            let (p, n) = (expected.marginal.log_prob.exp(), DRAWS as f64);
            let seen = drawn.iter().filter(|tokens| **tokens == expected.tokens).count() as f64;
            let spread = (n * p * (1.0 - p)).sqrt();
            assert!(
                (seen - n * p).abs() <= 5.0 * spread + 1.0,
                "{mode:?} {:?}: {seen} of {}",
                expected.tokens,
                n * p
            );
        }
    }
}

#[test]
fn a_watcher_that_breaks_ends_the_answer_there() {
    let table = TableGenerator { longest: 9, gaps: false };
    let log_prior = prior(&[0.0; 4], 1.0);
    let mut seen = Vec::new();
    let watch = &mut |said: Said<'_>| {
        assert!((said.step.posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        seen.push(said.token);
        assert_eq!(said.text, ["", "a", "b"][said.token as usize]);
        if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let constraints = Constraints { forced_first: Some(1), ..Constraints::new(9) };
    let mut decoding = table.start("", &passages()).unwrap();
    let found =
        postil_generator::greedy(decoding.as_mut(), Mode::Token, &log_prior, &constraints, 0.0, watch)
            .unwrap();
    assert_eq!((found.tokens.len(), found.tokens[0]), (2, 1));
    assert_eq!(found.tokens, seen);
}
