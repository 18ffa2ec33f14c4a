use super::log_softmax;

/// log p(z|x) = log_softmax over the passages of `scale * score`, natural log, normalized.
///
/// `scores` are exact similarities (reranked dot products: an index's approximate ones are wrong after
/// the exponential); `scale` is the encoder's, 1 for DPR. Only differences of scores matter, so any
/// shift gives the same prior. Scores that are all -inf, or none at all, say nothing: uniform.
pub fn prior<T: Copy + Into<f64>>(scores: &[T], scale: f64) -> Vec<f64> {
    let scaled: Vec<f64> = scores.iter().map(|s| scale * (*s).into()).collect();
    log_softmax(&scaled).unwrap_or_else(|| vec![-(scores.len() as f64).ln(); scores.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

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
