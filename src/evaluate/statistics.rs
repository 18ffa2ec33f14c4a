//! Areas, percentiles and calibration of scored outcomes.

/// Area under the ROC curve of a score as a sign of the positive class, ties counting half; `None`
/// when a class is empty. Equal to the probability that a positive scores above a negative (Hanley
/// and McNeil 1982).
pub fn roc_area(scored: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|(_, positive)| *positive).count();
    let negatives = sorted.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    // Sum of the positives' ranks, equal scores sharing their mean rank.
    let mut rank_sum = 0.0;
    let mut below = 0;
    for equal in sorted.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = below as f64 + (equal.len() as f64 + 1.0) / 2.0;
        rank_sum += mean_rank * equal.iter().filter(|(_, positive)| *positive).count() as f64;
        below += equal.len();
    }
    let (positives, negatives) = (positives as f64, negatives as f64);
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// The value below which this share of the values lies, by the nearest rank; 0 of none.
pub(super) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// Mean of the values; 0 of none.
pub(super) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    match values.len() {
        0 => 0.0,
        count => values.sum::<f64>() / count as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_share_of_pairs_in_order() {
        let scored = [(0.9, true), (0.8, false), (0.7, true), (0.7, false), (0.1, false)];
        // Pairs: 0.9 beats 3 of 3; 0.7 beats 0.1, ties with 0.7, loses to 0.8.
        assert_eq!(roc_area(&scored), Some((3.0 + 1.5) / 6.0));
        assert_eq!(roc_area(&[(0.5, true)]), None);
    }

    #[test]
    fn percentiles_are_values_that_occur() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!([0.0, 0.5, 0.95, 1.0].map(|share| percentile(&values, share)), [1.0, 2.0, 4.0, 4.0]);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
