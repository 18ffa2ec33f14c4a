//! Invariants of the marginal for any numbers: property tests.

use postil_generator::{
    Disagreement, Groups, Marginal, Mixture, Mode, disagreement, log_softmax, log_sum_exp, marginal, prior,
};
use proptest::prelude::*;

const MODES: [Mode; 2] = [Mode::Sequence, Mode::Token];

/// Scores and log-probabilities `[tokens][passages]`, with impossible tokens and abstentions among
/// them.
fn cases() -> impl Strategy<Value = (Vec<f64>, Vec<Vec<Option<f64>>>)> {
    let value = prop_oneof![
        8 => (-30.0..0.0).prop_map(Some),
        1 => Just(Some(f64::NEG_INFINITY)),
        1 => Just(None),
    ];
    (1usize..6).prop_flat_map(move |k| {
        let line = prop::collection::vec(value.clone(), k);
        (prop::collection::vec(-20.0..20.0, k), prop::collection::vec(line, 0..7))
    })
}

fn run(mode: Mode, log_prior: &[f64], tokens: &[Vec<Option<f64>>]) -> Marginal {
    marginal(mode, log_prior, tokens.iter().map(Vec::as_slice))
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() < 1e-9
}

/// True when the values sum to 1.
fn sums_to_one(values: &[f64]) -> bool {
    (values.iter().sum::<f64>() - 1.0).abs() < 1e-9
}

proptest! {
    #[test]
    fn posteriors_sum_to_one_and_tokens_to_the_whole((scores, tokens) in cases()) {
        for mode in MODES {
            let found = run(mode, &prior(&scores, 1.0), &tokens);
            prop_assert!(sums_to_one(&found.posterior));
            prop_assert!(found.steps.iter().all(|s| sums_to_one(&s.posterior)));
            prop_assert!(found.log_prob <= 1e-12 && !found.log_prob.is_nan());
            prop_assert!(close(found.log_prob, found.steps.iter().map(|s| s.log_prob).sum()));
            prop_assert!(found.leave_one_out.iter().all(|e| !e.is_nan()));
        }
    }

    #[test]
    fn one_passage_is_the_plain_model(line in prop::collection::vec(-30.0..0.0, 0..9), score in -1e4..1e4) {
        let tokens: Vec<_> = line.iter().map(|v| vec![Some(*v)]).collect();
        for mode in MODES {
            let found = run(mode, &prior(&[score], 20.0), &tokens);
            prop_assert!(close(found.log_prob, line.iter().sum()));
            prop_assert_eq!(&found.posterior, &[1.0]);
        }
    }

    #[test]
    fn a_copy_of_a_passage_with_the_prior_split_changes_no_answer(
        (scores, tokens) in cases(),
        share in 0.01..0.99,
    ) {
        let log_prior = prior(&scores, 1.0);
        let mut split = log_prior.clone();
        split.push(log_prior[0] + f64::ln(1.0 - share));
        split[0] += f64::ln(share);
        let copied: Vec<Vec<_>> = tokens.iter().map(|t| [t.as_slice(), &t[..1]].concat()).collect();
        for mode in MODES {
            let (one, two) = (run(mode, &log_prior, &tokens), run(mode, &split, &copied));
            prop_assert!(close(one.log_prob, two.log_prob));
            prop_assert!(close(one.posterior[0], two.posterior[0] + two.posterior[scores.len()]));
        }
        let mut names: Vec<usize> = (0..scores.len()).collect();
        names.push(0);
        let merged = Groups::of(&names).sum_priors(&split);
        prop_assert!(merged.iter().zip(&log_prior).all(|(a, b)| close(*a, *b)));
    }

    #[test]
    fn permuting_passages_permutes_posteriors((scores, tokens) in cases(), turn in 0usize..6) {
        let turned = |values: &[f64]| { let mut v = values.to_vec(); v.rotate_left(turn % values.len()); v };
        let mut lines = tokens.clone();
        lines.iter_mut().for_each(|line| line.rotate_left(turn % scores.len()));
        for mode in MODES {
            let before = run(mode, &prior(&scores, 1.0), &tokens);
            let after = run(mode, &prior(&turned(&scores), 1.0), &lines);
            prop_assert!(close(before.log_prob, after.log_prob));
            let pairs = [
                (&before.posterior, &after.posterior),
                (&before.leave_one_out, &after.leave_one_out),
            ];
            for (before, after) in pairs {
                let is_same = turned(before).iter().zip(after).all(|(a, b)| close(*a, *b));
                prop_assert!(is_same, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn the_two_models_agree_on_one_token((scores, tokens) in cases()) {
        let log_prior = prior(&scores, 1.0);
        // When a passage abstains from the start, the modes differ by design: RAG-Token gives its
        // weight to the others.
        for token in tokens.into_iter().filter(|t| t.iter().all(Option::is_some)) {
            let [sequence, token] = MODES.map(|mode| run(mode, &log_prior, std::slice::from_ref(&token)));
            prop_assert!(close(sequence.log_prob, token.log_prob));
            prop_assert!(sequence.posterior.iter().zip(&token.posterior).all(|(a, b)| close(*a, *b)));
            prop_assert!(sequence.leave_one_out.iter().zip(&token.leave_one_out).all(|(a, b)| close(*a, *b)));
        }
    }

    #[test]
    fn leaving_a_passage_out_is_what_scoring_without_it_says((scores, tokens) in cases(), z in 0usize..6) {
        prop_assume!(scores.len() > 1 && tokens.iter().flatten().all(Option::is_some));
        let z = z % scores.len();
        let without = |values: &[f64]| { let mut v = values.to_vec(); v.remove(z); v };
        let lines: Vec<_> = tokens.iter().map(|t| { let mut t = t.clone(); t.remove(z); t }).collect();
        for mode in MODES {
            let all = run(mode, &prior(&scores, 1.0), &tokens);
            let rest = run(mode, &prior(&without(&scores), 1.0), &lines);
            if all.log_prob > f64::NEG_INFINITY {
                let effect = all.log_prob - rest.log_prob;
                let told = all.leave_one_out[z];
                prop_assert!(close(told, effect), "{mode:?} {told} {effect}");
            }
        }
    }

    #[test]
    fn the_next_token_is_a_distribution_and_its_entropy_splits(
        scores in prop::collection::vec(-5.0..5.0, 1..5),
        logits in prop::collection::vec(-9.0..9.0, 20),
        mute in 0usize..8,
    ) {
        let lines: Vec<f64> = logits.chunks_exact(4).take(scores.len()).enumerate().flat_map(|(z, line)| {
            match z == mute && scores.len() > 1 {
                true => vec![f64::NEG_INFINITY; 4],
                false => log_softmax(line).unwrap(),
            }
        }).collect();
        let mixture = Mixture::new(Mode::Token, &prior(&scores, 1.0));
        let mut mixed = vec![0.0; 4];
        mixture.next_token(&lines, &mut mixed);
        prop_assert!(close(log_sum_exp(mixed.iter().copied()), 0.0));
        let Disagreement { unsure, disagree } = disagreement(&mixture, &lines);
        let entropy: f64 = -mixed.iter().map(|l| l.exp() * l).sum::<f64>();
        prop_assert!(close(unsure + disagree, entropy) && unsure >= 0.0 && disagree >= 0.0);
        prop_assert!(disagree <= (scores.len() as f64).ln() + 1e-9);
    }
}

#[test]
fn an_answer_nobody_can_say_has_probability_zero_and_posteriors_without_nan() {
    let log_prior = prior(&[1.0, 3.0], 1.0);
    let nothing = Some(f64::NEG_INFINITY);
    for mode in MODES {
        let found = run(mode, &log_prior, &[vec![nothing, nothing], vec![None, None]]);
        assert_eq!(found.log_prob, f64::NEG_INFINITY);
        let expected: Vec<f64> = log_prior.iter().map(|p| p.exp()).collect();
        assert!(found.posterior.iter().zip(&expected).all(|(a, b)| close(*a, *b)));
        assert_eq!(found.leave_one_out, [0.0, 0.0]);
        let mixture = Mixture::new(mode, &log_prior);
        let mut mixed = [0.0; 2];
        mixture.next_token(&[f64::NEG_INFINITY; 4], &mut mixed);
        assert_eq!(mixed, [f64::NEG_INFINITY; 2]);
    }
}

#[test]
fn a_splice_no_passage_can_say_alone_is_credited_by_its_tokens() {
    let (yes, no) = (Some(-0.1), Some(f64::NEG_INFINITY));
    let found = run(Mode::Token, &prior(&[0.0, 0.0], 1.0), &[vec![yes, no], vec![no, yes]]);
    assert!(found.log_prob > f64::NEG_INFINITY);
    assert_eq!(found.posterior, [0.5, 0.5]);
    assert_eq!(found.leave_one_out, [f64::INFINITY; 2]);
}
