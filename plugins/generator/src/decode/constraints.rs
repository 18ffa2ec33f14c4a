use postil_contract::{AnswerForm, GenerateError, TokenId};

/// Constraints on an answer, independent of the search. They apply to the mixture, never to one
/// passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraints {
    /// Longest answer in tokens, end token included; at least 1.
    pub max_tokens: usize,
    /// First token of the answer; `None` when it is free. The search does not count the
    /// log-probability of a forced token; the scores of a found answer do.
    pub forced_first: Option<TokenId>,
    /// Last token of an answer that reaches `max_tokens`, not counted either; `None` when it is
    /// free.
    pub forced_last: Option<TokenId>,
    /// Length of the token runs that may occur only once; 0 takes the model's own limit, or allows
    /// all repetitions if it has none.
    pub no_repeat: usize,
    /// Tokens that no answer contains, unless forced. The search skips them; the other tokens'
    /// probabilities are not renormalized.
    pub barred: Vec<TokenId>,
}

impl Constraints {
    /// Constraints with only a limit on length, in tokens.
    pub fn new(max_tokens: usize) -> Self {
        Self { max_tokens, forced_first: None, forced_last: None, no_repeat: 0, barred: Vec::new() }
    }

    /// These constraints, with the model's own where these are unset; never longer than fits the
    /// model.
    #[must_use]
    pub fn within(&self, form: &AnswerForm) -> Self {
        Self {
            max_tokens: form.max_tokens.map_or(self.max_tokens, |most| self.max_tokens.min(most)),
            forced_first: self.forced_first.or(form.forced_first),
            forced_last: self.forced_last.or(form.forced_last),
            no_repeat: if self.no_repeat > 0 { self.no_repeat } else { form.no_repeat },
            barred: self.barred.clone(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), GenerateError> {
        match self.max_tokens {
            0 => Err(GenerateError::Value {
                what: "longest answer in tokens",
                got: 0.0,
                expected: "at least 1",
            }),
            _ => Ok(()),
        }
    }

    /// The only token that may follow `said`; `None` when several may. The search does not count
    /// it.
    pub(super) fn forced(&self, said: &[TokenId]) -> Option<TokenId> {
        match said.len() {
            0 if self.forced_first.is_some() => self.forced_first,
            n if n + 1 == self.max_tokens => self.forced_last,
            _ => None,
        }
    }

    /// Applies the constraints to the log-probabilities of the token after `said`, `[vocabulary]`.
    pub(super) fn apply(&self, said: &[TokenId], log_probs: &mut [f64]) {
        for token in &self.barred {
            if let Some(barred) = log_probs.get_mut(*token as usize) {
                *barred = f64::NEG_INFINITY;
            }
        }
        if let Some(forced) = self.forced(said) {
            log_probs.fill(f64::NEG_INFINITY);
            if let Some(free) = log_probs.get_mut(forced as usize) {
                *free = 0.0;
            }
        } else if self.no_repeat > 0 && said.len() + 1 > self.no_repeat {
            let (begun, run) = (&said[said.len() + 1 - self.no_repeat..], said.windows(self.no_repeat));
            for before in run.filter(|before| before.starts_with(begun)) {
                log_probs[before[self.no_repeat - 1] as usize] = f64::NEG_INFINITY;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO: f64 = f64::NEG_INFINITY;

    fn seen(constraints: &Constraints, said: &[TokenId]) -> [f64; 4] {
        let mut log_probs = [-1.0; 4];
        constraints.apply(said, &mut log_probs);
        log_probs
    }

    #[test]
    fn forced_tokens_are_free_and_alone() {
        let forced = Constraints { forced_first: Some(2), forced_last: Some(3), ..Constraints::new(3) };
        assert_eq!(seen(&forced, &[]), [NO, NO, 0.0, NO]);
        assert_eq!(seen(&forced, &[2]), [-1.0; 4]);
        assert_eq!(seen(&forced, &[2, 1]), [NO, NO, NO, 0.0]);
    }

    #[test]
    fn barred_tokens_are_not_seen_unless_forced() {
        let barred = Constraints { barred: vec![1, 99], ..Constraints::new(9) };
        assert_eq!(seen(&barred, &[]), [-1.0, NO, -1.0, -1.0]);
        let forced = Constraints { forced_first: Some(1), ..barred };
        assert_eq!(seen(&forced, &[]), [NO, 0.0, NO, NO]);
    }

    #[test]
    fn a_run_that_occurred_is_not_completed_again() {
        let twice = Constraints { no_repeat: 2, ..Constraints::new(99) };
        assert_eq!(seen(&twice, &[1, 2, 3, 1]), [-1.0, -1.0, NO, -1.0]);
        assert_eq!(seen(&twice, &[1]), [-1.0; 4]);
        let once = Constraints { no_repeat: 1, ..Constraints::new(99) };
        assert_eq!(seen(&once, &[0, 3]), [NO, -1.0, -1.0, NO]);
    }
}
