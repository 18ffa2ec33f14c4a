use super::log_sum_exp;

/// Whether to give an answer at all, 0 to 1: the harmonic mean of p(no answer|x,z) over the passages.
///
/// The marginal p(no answer|x), which is the arithmetic mean weighted by p(z|x), says how much of the prior is on passages
/// that do not answer: most of k, whether or not one does. Here one passage that is sure to answer outweighs those that are
/// about something else: `1 / s - 1 = mean_z (1 / p(no answer|x,z) - 1)`, the mean odds that a passage answers. The prior has
/// no say: weighing by it separated questions with and without an answer less well, as did the least p(no answer|x,z).
///
/// `log_no_answer`: log p(no answer|x,z), `[passages]`. 1 for no passage.
pub fn abstention_score(log_no_answer: &[f64]) -> f64 {
    if log_no_answer.is_empty() {
        return 1.0;
    }
    if log_no_answer.contains(&f64::NEG_INFINITY) {
        return 0.0;
    }
    let sum = log_sum_exp(log_no_answer.iter().map(|silent| -silent));
    ((log_no_answer.len() as f64).ln() - sum).exp().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(silent: &[f64]) -> f64 {
        abstention_score(&silent.iter().map(|p| p.ln()).collect::<Vec<_>>())
    }

    #[test]
    fn one_passage_that_is_sure_to_answer_outweighs_others_that_do_not() {
        let found = score(&[0.99, 0.05, 0.99, 0.99]);
        assert!((found - 4.0 / (3.0 / 0.99 + 1.0 / 0.05)).abs() < 1e-12);
        assert!(found < 0.2 && score(&[0.99, 0.9, 0.99, 0.99]) > 0.9);
        assert!((score(&[0.7]) - 0.7).abs() < 1e-12);
    }

    #[test]
    fn certainties_and_no_passages_are_neither_nan_nor_beyond_the_range() {
        assert_eq!(score(&[1.0, 1.0]), 1.0);
        assert_eq!(score(&[0.0, 1.0]), 0.0);
        assert_eq!(score(&[]), 1.0);
    }
}
