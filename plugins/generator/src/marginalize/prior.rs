use super::log_softmax;

/// log p(z|x) = log_softmax over the passages of `scale * score`, natural log, normalized.
///
/// `scores` are exact similarities (reranked dot products: an index's approximate ones are wrong
/// after the exponential); `scale` is the encoder's, 1 for DPR. Only differences of scores matter,
/// so any shift gives the same prior. Uniform when all scores are -inf.
pub fn prior<T: Copy + Into<f64>>(scores: &[T], scale: f64) -> Vec<f64> {
    let scaled: Vec<f64> = scores.iter().map(|s| scale * (*s).into()).collect();
    log_softmax(&scaled).unwrap_or_else(|| vec![-(scores.len() as f64).ln(); scores.len()])
}

/// Number of passages to read, from the first: the last ones are left out as long as their priors
/// sum to at most `unread`. At least one is read.
///
/// With [`prior`] of the others' scores, p(y|x) of RAG-Sequence, and p(y_i|x,y_<i) of RAG-Token,
/// change by at most the share left unread.
pub fn worth_reading(log_prior: &[f64], unread: f64) -> usize {
    let mut left = 0.0;
    let last = log_prior.iter().skip(1).rev().take_while(|prior| {
        left += prior.exp();
        left <= unread
    });
    log_prior.len() - last.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_passages_are_left_unread_while_together_they_have_little() {
        let read =
            |prior: &[f64], unread| worth_reading(&prior.iter().map(|p| p.ln()).collect::<Vec<_>>(), unread);
        assert_eq!(read(&[0.9, 0.09, 0.006, 0.004], 0.011), 2);
        assert_eq!(read(&[0.9, 0.09, 0.006, 0.004], 0.005), 3);
        assert_eq!(read(&[0.9, 0.09, 0.006, 0.004], 0.0), 4);
        assert_eq!(read(&[0.001, 0.998, 0.001, 0.0], 0.0), 3, "none of nothing");
        assert_eq!(read(&[0.001, 0.999], 0.01), 2, "only the last");
        assert_eq!((read(&[1.0], 1.0), read(&[0.5, 0.5], 1.0), read(&[], 1.0)), (1, 1, 0));
    }

    #[test]
    fn a_shift_of_every_score_changes_nothing() {
        let scores = [3.25, 1.5, -40.0];
        for shift in [0.0, 1e4, -1e4] {
            let shifted = scores.map(|s| s + shift);
            for (a, b) in prior(&scores, 1.0).iter().zip(prior(&shifted, 1.0)) {
                assert!((a - b).abs() < 1e-9, "shift {shift}: {a} {b}");
            }
        }
    }

    #[test]
    fn scores_without_any_mass_give_a_uniform_prior() {
        assert_eq!(prior(&[f32::NEG_INFINITY; 2], 20.0), vec![-2f64.ln(); 2]);
        assert!(prior::<f32>(&[], 1.0).is_empty());
    }
}
