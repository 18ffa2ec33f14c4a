use postil_checkpoint::TokenizerError;
use postil_contract::{Passage, TokenId};

use super::defuse::{defuse, delimiters};
use super::vocabulary::Vocabulary;

/// A place in a prompt that is filled with user text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    Question,
    /// Title and text of the passage.
    Passage,
    Title,
    Text,
}

/// A part of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Fixed text of the prompt.
    Text(String),
    /// A control token, or one that the tokenizer puts around every text.
    Control(TokenId),
    Slot(Slot),
}

/// Normalization of user text in a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// True when the text of a slot is put on one line.
    pub(crate) one_line: bool,
    /// True when two spaces are replaced by one, in a single pass, as the reference does.
    pub(crate) collapse: bool,
    /// True when the question is put in lower case.
    pub(crate) lower_case_question: bool,
    /// True when quotation marks around a title are removed.
    pub(crate) bare_title: bool,
}

/// A prompt with its slots still empty.
///
/// The structure of a prompt, the sequence of its control tokens, is that of its layout and does
/// not depend on the text in the slots: text between control tokens is tokenized without looking
/// for control tokens.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pieces: Vec<Piece>,
    delimiters: Vec<String>,
    style: Style,
}

impl Layout {
    /// A layout of these pieces; `separators` count as delimiters beside those found in the pieces.
    pub(crate) fn new(pieces: Vec<Piece>, separators: &[String], style: Style) -> Self {
        let fixed = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let mut delimiters = delimiters(&fixed.collect::<Vec<_>>().join("\n"));
        delimiters.extend(separators.iter().cloned());
        Self { pieces, delimiters, style }
    }

    /// The tokens of the prompt for a question and a passage.
    pub(crate) fn tokens(
        &self,
        vocabulary: &Vocabulary,
        question: &str,
        passage: Passage<'_>,
    ) -> Result<Vec<TokenId>, TokenizerError> {
        let slot = |slot| self.fill(slot, question, passage);
        let (mut tokens, mut run, mut is_first) = (Vec::new(), String::new(), true);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => run.push_str(text),
                Piece::Slot(name) => run.push_str(&slot(*name)),
                Piece::Control(token) => {
                    self.flush(vocabulary, &mut run, is_first, &mut tokens)?;
                    tokens.push(*token);
                    is_first = false;
                }
            }
        }
        self.flush(vocabulary, &mut run, is_first, &mut tokens)?;
        Ok(tokens)
    }

    fn flush(
        &self,
        vocabulary: &Vocabulary,
        run: &mut String,
        is_first: bool,
        tokens: &mut Vec<TokenId>,
    ) -> Result<(), TokenizerError> {
        let text = std::mem::take(run);
        let text = if self.style.collapse { text.replace("  ", " ") } else { text };
        if !text.is_empty() {
            tokens.extend(vocabulary.plain(&text, is_first)?);
        }
        Ok(())
    }

    fn fill(&self, slot: Slot, question: &str, Passage { title, text }: Passage<'_>) -> String {
        let title = match self.style.bare_title {
            true => title.strip_prefix('"').unwrap_or(title).strip_suffix('"').unwrap_or(title),
            false => title,
        };
        let filled = match slot {
            Slot::Question if self.style.lower_case_question => question.trim().to_lowercase(),
            Slot::Question => question.trim().to_owned(),
            Slot::Title => title.to_owned(),
            Slot::Text => text.to_owned(),
            Slot::Passage if title.is_empty() => text.to_owned(),
            Slot::Passage => format!("{title}\n{text}"),
        };
        let filled = match self.style.one_line {
            true => filled.split_whitespace().collect::<Vec<_>>().join(" "),
            false => filled,
        };
        defuse(&filled, &self.delimiters).into_owned()
    }
}
