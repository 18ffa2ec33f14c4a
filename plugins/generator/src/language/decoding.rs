use std::ops::Range;

use postil_contract::{AnswerForm, AnswerScores, Decoding, GenerateError, LogProbs, TokenId};

use crate::model::ModelDecoding;
use crate::prompt::Vocabulary;

/// A model's decoding, with text for its tokens.
pub(super) struct LanguageDecoding<'a> {
    pub(super) model: ModelDecoding<'a>,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) stop_strings: &'a [String],
    pub(super) shortened: Vec<usize>,
}

impl LanguageDecoding<'_> {
    fn spoken(&self, tokens: &[TokenId]) -> String {
        let spoken: Vec<TokenId> = tokens.iter().copied().filter(|token| !self.is_end(*token)).collect();
        self.vocabulary.text(&spoken)
    }

    /// Position of the first stop string; `None` when there is none.
    fn stop(&self, text: &str) -> Option<usize> {
        self.stop_strings.iter().filter_map(|stop| text.find(stop.as_str())).min()
    }
}

impl Decoding for LanguageDecoding<'_> {
    fn passages(&self) -> usize {
        self.model.passages()
    }

    fn vocabulary(&self) -> usize {
        self.model.vocabulary()
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        self.model.log_probs()
    }

    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        self.model.advance_each(parents, tokens)
    }

    fn restrict(&mut self, wanted: &[usize]) -> bool {
        self.model.restrict(wanted)
    }

    fn restart(&mut self) {
        self.model.restart();
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        self.model.score(answers)
    }

    fn score_under(
        &mut self,
        answers: &[Vec<TokenId>],
        wanted: &[usize],
    ) -> Result<Vec<AnswerScores>, GenerateError> {
        self.model.score_under(answers, wanted)
    }

    fn is_end(&self, token: TokenId) -> bool {
        self.model.is_end(token)
    }

    fn is_finished(&self, tokens: &[TokenId]) -> bool {
        tokens.last().is_some_and(|token| self.is_end(*token))
            || !self.stop_strings.is_empty() && self.stop(&self.spoken(tokens)).is_some()
    }

    fn form(&self) -> AnswerForm {
        self.model.form()
    }

    fn shortened(&self) -> &[usize] {
        &self.shortened
    }

    fn no_answer(&self) -> Option<TokenId> {
        None
    }

    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        None
    }

    /// Text up to the first stop string; while a stop string may have begun, text up to there. An
    /// answer cut at its limit therefore lacks an ending that a stop string begins with.
    fn text(&self, tokens: &[TokenId]) -> String {
        let mut text = self.spoken(tokens);
        if let Some(at) = self.stop(&text) {
            text.truncate(at);
        } else if tokens.last().is_some_and(|token| !self.is_end(*token)) {
            let begun = |stop: &String| {
                let lengths = (1..stop.len()).rev().filter(|length| stop.is_char_boundary(*length));
                lengths.into_iter().find(|length| text.ends_with(&stop[..*length])).unwrap_or(0)
            };
            let begun = self.stop_strings.iter().map(begun).max().unwrap_or(0);
            text.truncate(text.len() - begun);
        }
        text
    }

    fn origin(&self, _: usize, _: &[TokenId]) -> Option<Range<usize>> {
        None
    }
}
