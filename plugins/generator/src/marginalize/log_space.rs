/// `log(sum(exp(values)))`; -inf when there is no value or all are -inf.
pub fn log_sum_exp(values: impl IntoIterator<Item = f64, IntoIter: Clone>) -> f64 {
    let values = values.into_iter();
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY { top } else { top + values.map(|v| (v - top).exp()).sum::<f64>().ln() }
}

/// `values` shifted so that their exponentials sum to 1; `None` when all are -inf, since no shift
/// can do that.
pub fn log_softmax(values: &[f64]) -> Option<Vec<f64>> {
    let total = log_sum_exp(values.iter().copied());
    (total > f64::NEG_INFINITY).then(|| values.iter().map(|v| v - total).collect())
}

/// `log(exp(a) + exp(b))`.
pub(crate) fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_minus_infinity_stays_minus_infinity_without_nan() {
        let none = [f64::NEG_INFINITY; 3];
        assert_eq!(log_sum_exp(none), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp([]), f64::NEG_INFINITY);
        assert_eq!(log_softmax(&none), None);
        assert_eq!(log_add(f64::NEG_INFINITY, f64::NEG_INFINITY), f64::NEG_INFINITY);
    }

    #[test]
    fn huge_and_tiny_values_neither_overflow_nor_vanish() {
        assert!((log_sum_exp([1e4, 1e4]) - (1e4 + 2f64.ln())).abs() < 1e-9);
        assert!((log_sum_exp([-1e4, -1e4]) - (-1e4 + 2f64.ln())).abs() < 1e-9);
        assert!((log_add(-1e4, -1e4) - (-1e4 + 2f64.ln())).abs() < 1e-9);
    }
}
