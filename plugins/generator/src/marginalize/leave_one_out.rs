use super::log_sum_exp;

/// Loss of log-probability under RAG-Sequence without passage `z`: log p(y|D) - log p(y|D without
/// z), in closed form log(1-p(z|x)) - log(1-p(z|x,y)).
///
/// `log_prior` and `log_likelihoods`, log p(y|x,z), are `[passages]`. +inf when the other passages
/// cannot say y, or there are none; 0 when not even all passages together can.
pub fn leave_one_out_sequence(log_prior: &[f64], log_likelihoods: &[f64], z: usize) -> f64 {
    leave_one_out_step(log_prior, log_likelihoods, z)
}

/// Loss of log-probability of one RAG-Token step without passage `z`; the sum over the tokens is
/// the answer's loss.
///
/// `log_weights` are the step's mixing weights, normalized, -inf for a passage that abstains.
/// Computed as logsumexp over the other passages, never as 1 minus a posterior, so that it stays
/// exact when the posterior rounds to 1.
pub fn leave_one_out_step(log_weights: &[f64], log_likelihoods: &[f64], z: usize) -> f64 {
    let joint = |(w, l): (&f64, &f64)| w + l;
    let all = log_sum_exp(log_weights.iter().zip(log_likelihoods).map(joint));
    if all == f64::NEG_INFINITY || log_weights[z] == f64::NEG_INFINITY {
        return 0.0;
    }
    let others = || log_weights.iter().zip(log_likelihoods).enumerate().filter(move |(i, _)| *i != z);
    let said_by_others = log_sum_exp(others().map(|(_, pair)| joint(pair)));
    if said_by_others == f64::NEG_INFINITY {
        return f64::INFINITY;
    }
    all - (said_by_others - log_sum_exp(others().map(|(_, (w, _))| *w)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_form_holds_and_survives_a_posterior_of_one() {
        let prior = [0.2f64, 0.3, 0.5].map(f64::ln);
        let likelihoods = [-3.0, -1.0, -7.5];
        let joint: Vec<f64> = prior.iter().zip(likelihoods).map(|(p, l)| p + l).collect();
        let all = log_sum_exp(joint.iter().copied());
        for z in 0..3 {
            let closed = (1.0 - prior[z].exp()).ln() - (1.0 - (joint[z] - all).exp()).ln();
            assert!((leave_one_out_sequence(&prior, &likelihoods, z) - closed).abs() < 1e-12);
        }
        let effect = leave_one_out_sequence(&[0.5f64.ln(); 2], &[0.0, -400.0], 0);
        assert!((effect - (400.0 + 0.5f64.ln())).abs() < 1e-9, "{effect}");
    }

    #[test]
    fn a_passage_nobody_can_replace_has_infinite_effect_and_a_mute_one_has_none() {
        let (prior, nothing) = ([0.5f64.ln(); 2], f64::NEG_INFINITY);
        assert_eq!(leave_one_out_sequence(&prior, &[-1.0, nothing], 0), f64::INFINITY);
        assert_eq!(leave_one_out_sequence(&[0.0], &[-1.0], 0), f64::INFINITY);
        assert_eq!(leave_one_out_sequence(&prior, &[nothing, nothing], 0), 0.0);
        assert_eq!(leave_one_out_step(&[0.0, nothing], &[-1.0, nothing], 1), 0.0);
    }
}
