use postil_contract::{AnswerForm, GenerateError, TokenId};

/// What an answer may look like, whatever finds it. Applied to the mixture, never to one passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraints {
    /// Longest answer in tokens, end token included; at least 1.
    pub max_tokens: usize,
    /// Its first token. Forced, so free: the search does not count its log-probability; scores of a
    /// found answer do.
    pub forced_first: Option<TokenId>,
    /// Its last token, should it reach `max_tokens`; free as well.
    pub forced_last: Option<TokenId>,
    /// No run of so many tokens occurs twice; 0 is what the model asks for, and without that allows all.
    pub no_repeat: usize,
    /// Tokens that no answer has, unless forced. The search does not see them; probabilities stay what they
    /// are with them.
    pub barred: Vec<TokenId>,
}

impl Constraints {
    /// Nothing but a limit on length.
    pub fn new(max_tokens: usize) -> Self {
        Self { max_tokens, forced_first: None, forced_last: None, no_repeat: 0, barred: Vec::new() }
    }

    /// These, and where they say nothing what the model asks for; never longer than fits it.
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

    /// The only token that may come after `said`, if there is but one; it is free.
    pub(super) fn forced(&self, said: &[TokenId]) -> Option<TokenId> {
        match said.len() {
            0 if self.forced_first.is_some() => self.forced_first,
            n if n + 1 == self.max_tokens => self.forced_last,
            _ => None,
        }
    }

    /// Log-probabilities of the token after `said`, `[vocabulary]`, as the search is to see them.
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
