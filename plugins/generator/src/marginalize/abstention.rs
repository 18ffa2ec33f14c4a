/// Score in [0, 1] that decides about abstaining: the s whose odds against are the sum of the odds
/// that each passage answers, `1 / s - 1 = sum_z w_z (1 / p(no answer|x,z) - 1)`.
///
/// The marginal p(no answer|x), which is the mean weighted by p(z|x), is the share of the prior on
/// passages that do not answer: large for k passages, even when one of them answers. Here one
/// passage that is sure to answer outweighs those about something else, which count little: one
/// more passage never raises the score, so that thresholds for different k are comparable. For one
/// passage of weight 1 the score is p(no answer|x,z). Many passages that each may answer, however
/// unlikely, add up: a threshold fitted with five withholds little with fifty. The prior is not
/// used: weighting by it separated questions with and without an answer less well.
///
/// `log_no_answer`: log p(no answer|x,z), `[passages]`; `weights`: w_z, `[passages]`, see
/// [`name_weights`](crate::name_weights). Returns 1 when there is no passage.
pub fn abstention_score(log_no_answer: &[f64], weights: &[f64]) -> f64 {
    // A probability that rounds to more than 1 would give negative odds.
    let odds = |(silent, weight): (&f64, &f64)| weight * (-silent).exp_m1().max(0.0);
    let odds: f64 = log_no_answer.iter().zip(weights).map(odds).sum();
    1.0 / (1.0 + odds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn score(silent: &[f64]) -> f64 {
        abstention_score(&silent.iter().map(|p| p.ln()).collect::<Vec<_>>(), &vec![1.0; silent.len()])
    }

    #[test]
    fn one_passage_that_is_sure_to_answer_outweighs_others_that_do_not() {
        let found = score(&[0.99, 0.05, 0.99, 0.99]);
        assert!((found - 1.0 / (1.0 + 19.0 + 3.0 / 99.0)).abs() < 1e-12);
        assert!(score(&[0.99, 0.9, 0.99, 0.99]) > 0.85);
        assert!((score(&[0.7]) - 0.7).abs() < 1e-12);
    }

    #[test]
    fn a_passage_of_little_weight_says_little() {
        let found = abstention_score(&[0.05f64.ln(), 0.5f64.ln()], &[0.1, 1.0]);
        assert!((found - 1.0 / (1.0 + 1.9 + 1.0)).abs() < 1e-12);
    }

    #[test]
    fn certainties_and_no_passages_are_neither_nan_nor_beyond_the_range() {
        assert_eq!(score(&[1.0, 1.0]), 1.0);
        assert_eq!(score(&[1.0 + 1e-9]), 1.0);
        assert_eq!(score(&[0.0, 1.0]), 0.0);
        assert_eq!(abstention_score(&[-2000.0], &[1.0]), 0.0);
        assert_eq!(score(&[]), 1.0);
    }

    proptest! {
        #[test]
        fn a_passage_more_never_raises_it(
            silent in proptest::collection::vec(0.0..1.0, 0..8),
            more in 0.0..1.0,
        ) {
            let least = silent.iter().copied().fold(1.0, f64::min);
            let before = score(&silent);
            prop_assert!(before <= least + 1e-12);
            let after = score(&[&silent[..], &[more]].concat());
            prop_assert!(after <= before && (0.0..=1.0).contains(&after));
            let unchanged = score(&[&silent[..], &[1.0]].concat());
            prop_assert_eq!(unchanged, before, "one that does not answer says nothing");
        }
    }
}
