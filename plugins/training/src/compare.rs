use crate::Random;

/// Number of samples of a bootstrap.
const SAMPLES: usize = 10_000;

/// A paired comparison of two models' scores on the same questions.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Compared {
    /// Number of questions.
    pub questions: usize,
    /// Mean score of the first model.
    pub before: f64,
    /// Mean score of the second.
    pub after: f64,
    /// The difference that 2.5 % of the samples are below.
    pub low: f64,
    /// The difference that 2.5 % of the samples are above.
    pub high: f64,
}

impl Compared {
    /// Compares scores by a paired bootstrap (Efron and Tibshirani 1993) of 10,000 samples.
    pub fn of(before: &[f64], after: &[f64]) -> Self {
        let questions = before.len().min(after.len());
        let differences: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let mut random = Random::new(0, 0);
        let mut samples: Vec<f64> = (0..SAMPLES)
            .map(|_| {
                let drawn = (0..questions).map(|_| differences[random.below(questions)]);
                drawn.sum::<f64>() / questions.max(1) as f64
            })
            .collect();
        samples.sort_by(f64::total_cmp);
        let at = |share: f64| samples[((SAMPLES - 1) as f64 * share) as usize];
        Self { questions, before: mean(before), after: mean(after), low: at(0.025), high: at(0.975) }
    }

    /// True when the second model is better beyond noise.
    pub fn is_better(&self) -> bool {
        self.low > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_believed_only_when_it_exceeds_its_noise() {
        let before: Vec<f64> = (0..200).map(|i| f64::from(i % 2)).collect();
        let better: Vec<f64> = (0..200).map(|i| if i % 10 == 0 { 1.0 } else { f64::from(i % 2) }).collect();
        let compared = Compared::of(&before, &better);
        assert!(compared.is_better() && compared.low < 0.1 && compared.high > 0.1, "{compared:?}");
        assert!(!Compared::of(&before, &before).is_better());
        assert!(!Compared::of(&better, &before).is_better());
        // Five questions won and four lost are noise.
        let mixed: Vec<f64> = before
            .iter()
            .enumerate()
            .map(|(i, b)| match i {
                0..=9 if i % 2 == 0 => 1.0,
                10..=17 if i % 2 == 1 => 0.0,
                _ => *b,
            })
            .collect();
        assert!(!Compared::of(&before, &mixed).is_better());
        assert!(!Compared::of(&[], &[]).is_better());
    }
}
