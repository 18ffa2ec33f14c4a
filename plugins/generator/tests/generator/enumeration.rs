//! The mathematics against brute force: every answer over a three-token vocabulary.

use postil_contract::{AnswerScores, Generator, Passage};
use postil_generator::{Mode, exhaustive, greedy, prior};

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
