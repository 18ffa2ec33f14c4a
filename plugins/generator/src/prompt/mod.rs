//! Turns a question and a passage into the tokens that a model reads.
//!
//! A prompt has a fixed layout with slots; the text in the slots is data and cannot change the
//! layout. A prompt always fits the model: the passage is shortened, at sentence bounds, never the
//! question.
//!
//! file | responsibility
//! ---|---
//! `instruction.rs` | instructions, and the defaults
//! `vocabulary.rs` | converts text to tokens and back
//! `layout.rs` | pieces and slots to tokens
//! `defuse.rs` | delimiters in user text
//! `retrieval.rs` | the form of RAG checkpoints, for BART
//! `chat.rs` | chat templates
//! `fit.rs` | shortens a passage to fit the window

mod chat;
mod defuse;
mod fit;
mod instruction;
mod layout;
mod retrieval;
mod vocabulary;

use crate::LoadError;

pub(crate) use chat::ChatTemplate;
pub(crate) use fit::{Fitted, fit};
pub use instruction::{DEFAULT_CHAT_INSTRUCTION, DEFAULT_COMPLETION, DEFAULT_T5_INSTRUCTION};
pub(crate) use layout::Layout;
use layout::{Piece, Style};
pub(crate) use retrieval::RetrievalSettings;
pub(crate) use vocabulary::Vocabulary;

/// The kind of prompt a model was made for.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// BART, alone or in a RAG checkpoint.
    Retrieval(RetrievalSettings),
    /// T5.
    Instruction,
    /// A decoder-only model trained for conversation.
    Chat(ChatTemplate),
    /// A decoder-only model that continues a text.
    Completion,
}

impl Form {
    /// The layout of this form: its own, or one made from `instruction` (see
    /// [`crate::LanguageGenerator::with_instruction`]).
    pub(crate) fn layout(
        &self,
        vocabulary: &Vocabulary,
        instruction: Option<&str>,
    ) -> Result<Layout, LoadError> {
        let (before, after) = vocabulary.around();
        let around = |pieces: Vec<Piece>, after: &[u32]| {
            let control =
                |tokens: &[u32]| tokens.iter().map(|token| Piece::Control(*token)).collect::<Vec<_>>();
            [control(before), pieces, control(after)].concat()
        };
        let lines = Style { one_line: true, ..Style::default() };
        Ok(match (self, instruction) {
            (Self::Retrieval(settings), None) => settings.layout((before, after)),
            (Self::Chat(template), _) => {
                let instruction = instruction::parse(instruction.unwrap_or(DEFAULT_CHAT_INSTRUCTION))?;
                template.layout(vocabulary, &instruction)?
            }
            (Self::Completion, _) => {
                let pieces = instruction::parse(instruction.unwrap_or(DEFAULT_COMPLETION))?;
                // Only the tokens that the tokenizer puts before a text are used: those after a
                // text would end the answer before it begins.
                Layout::new(around(pieces, &[]), &[], lines)
            }
            (Self::Instruction | Self::Retrieval(_), _) => {
                let pieces = instruction::parse(instruction.unwrap_or(DEFAULT_T5_INSTRUCTION))?;
                Layout::new(around(pieces, after), &[], lines)
            }
        })
    }
}
