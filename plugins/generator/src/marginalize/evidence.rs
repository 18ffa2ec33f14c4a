/// log p(y|x) - log p(y|x, null passage), in nats: the evidence of the passages for the answer
/// beyond the generator's own knowledge. For a token as well as for an answer.
///
/// 0 when neither the passages nor the null passage can say it, +inf when only the passages can.
pub fn evidence_log_ratio(log_prob: f64, null_log_prob: f64) -> f64 {
    if log_prob == null_log_prob { 0.0 } else { log_prob - null_log_prob }
}

/// 1 - p(null passage|x,y) when the null passage joins the others with prior `null_prior`:
/// sigmoid(ratio + log((1-prior)/prior)).
///
/// Also low when the model knew the answer already: the passages are then not needed, but may still
/// support it.
pub fn grounded_probability(evidence_log_ratio: f64, null_prior: f64) -> f64 {
    let odds = evidence_log_ratio + ((1.0 - null_prior) / null_prior).ln();
    1.0 / (1.0 + (-odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_of_nothing_is_none_and_never_nan() {
        assert_eq!(evidence_log_ratio(f64::NEG_INFINITY, f64::NEG_INFINITY), 0.0);
        assert_eq!(evidence_log_ratio(-1.0, f64::NEG_INFINITY), f64::INFINITY);
        assert_eq!(grounded_probability(f64::INFINITY, 0.5), 1.0);
        assert_eq!(grounded_probability(0.0, 0.25), 0.75);
    }
}
