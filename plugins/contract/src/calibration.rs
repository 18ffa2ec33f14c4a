/// Parameters fitted for a generator on questions with known answers, which make its probabilities
/// usable without further tuning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// The temperature T in p(z|x) = softmax_z(s * score / T), above 0; 1 leaves the encoder's
    /// scale s unchanged.
    pub prior_temperature: f32,
    /// Abstention score above which an answer is withheld, in [0, 1]; `None` withholds an answer
    /// when "no answer" is more probable.
    pub no_answer_threshold: Option<f64>,
    /// Fit of the share of the generator's answers that are right; `None` when nothing was fitted.
    pub confidence: Option<ConfidenceFit>,
    /// Confidence below which an answer is withheld, in [0, 1]; 0 withholds none.
    pub min_confidence: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { prior_temperature: 1.0, no_answer_threshold: None, confidence: None, min_confidence: 0.0 }
    }
}

/// Signs of how right an answer is, known when it is given, from which its confidence is computed;
/// each is in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signs {
    /// p(y|x), marginalized over the passages.
    pub probability: f64,
    /// p(y|x,z) of the passage z with the highest posterior: how surely the answer was read there,
    /// were it certain that this is the passage to read.
    pub read_probability: f64,
    /// Score that decides about abstaining.
    pub abstention_score: f64,
}

/// Number of factors of a [`ConfidenceFit`] beside its offset.
pub const SIGNS: usize = 3;

impl Signs {
    /// Log-odds of each sign, in the order of the fields: finite for all probabilities.
    pub fn log_odds(&self) -> [f64; SIGNS] {
        [self.probability, self.read_probability, self.abstention_score].map(|p| {
            let p = p.clamp(LEAST_ODDS, 1.0 - LEAST_ODDS);
            (p / (1.0 - p)).ln()
        })
    }
}

/// Share of answers that are right, as a function of what is known of them: a logistic regression
/// (Platt 1999) on the log-odds of their [`Signs`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ConfidenceFit {
    /// Log-odds of being right when all other log-odds are 0.
    pub offset: f64,
    /// Factor of the log-odds of p(y|x).
    pub probability: f64,
    /// Factor of the log-odds of p(y|x,z) of the likeliest passage.
    pub read_probability: f64,
    /// Factor of the log-odds of the abstention score.
    pub abstention: f64,
}

impl ConfidenceFit {
    /// Share of answers like this one that are right, in [0, 1].
    pub fn confidence(&self, signs: &Signs) -> f64 {
        let factors = [self.probability, self.read_probability, self.abstention];
        let log_odds: f64 = factors.iter().zip(signs.log_odds()).map(|(factor, sign)| factor * sign).sum();
        1.0 / (1.0 + (-self.offset - log_odds).exp())
    }
}

/// Distance from 0 and 1 to which probabilities are clamped before log-odds are computed.
const LEAST_ODDS: f64 = 1e-5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_follows_all_odds_and_is_a_probability_at_their_ends() {
        let fit = ConfidenceFit { offset: 0.5, probability: 1.0, read_probability: 0.5, abstention: -0.5 };
        let confidence = |probability, read_probability, abstention_score| {
            fit.confidence(&Signs { probability, read_probability, abstention_score })
        };
        assert!((confidence(0.5, 0.5, 0.5) - 1.0 / (1.0 + (-0.5f64).exp())).abs() < 1e-12);
        assert!(confidence(0.9, 0.5, 0.1) > confidence(0.6, 0.5, 0.1));
        assert!(confidence(0.9, 0.9, 0.1) > confidence(0.9, 0.6, 0.1));
        assert!(confidence(0.9, 0.5, 0.1) > confidence(0.9, 0.5, 0.6));
        for ends in 0..8 {
            let end = |bit: u32| f64::from(ends >> bit & 1);
            let confidence = confidence(end(0), end(1), end(2));
            assert!((0.0..=1.0).contains(&confidence), "{ends:b}: {confidence}");
        }
    }
}
