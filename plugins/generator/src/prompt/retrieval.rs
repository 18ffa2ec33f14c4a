use postil_contract::TokenId;
use serde::Deserialize;

use super::layout::{Layout, Piece, Slot, Style};
use crate::LoadError;
use crate::model::parse;

/// Settings by which a RAG checkpoint reads passages, from its `config.json`; the defaults are
/// those of transformers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct RetrievalSettings {
    /// Separator between a passage's title and its text. Default ` / `.
    #[serde(default = "title_sep")]
    pub(crate) title_sep: String,
    /// Separator between a passage's text and the question. Default ` // `.
    #[serde(default = "doc_sep")]
    pub(crate) doc_sep: String,
    /// Text before the title. Default empty.
    #[serde(default)]
    pub(crate) prefix: String,
    /// Longest prompt in tokens. Default 300.
    #[serde(default = "max_combined_length")]
    pub(crate) max_combined_length: usize,
    /// True when the model was trained with questions in lower case, as its question encoder's
    /// tokenizer made them. Default true for a checkpoint, false otherwise.
    #[serde(default = "yes")]
    pub(crate) lower_case_question: bool,
}

fn title_sep() -> String {
    " / ".to_owned()
}

fn doc_sep() -> String {
    " // ".to_owned()
}

fn max_combined_length() -> usize {
    300
}

fn yes() -> bool {
    true
}

impl RetrievalSettings {
    /// Parses a configuration of type `rag`; `None` for another type.
    pub(crate) fn of(config: &str) -> Result<Option<Self>, LoadError> {
        #[derive(Deserialize)]
        struct Kind {
            model_type: Option<String>,
        }
        let kind: Kind = parse(config)?;
        match kind.model_type.as_deref() {
            Some("rag") => parse(config).map(Some),
            _ => Ok(None),
        }
    }

    /// The paper's form without a RAG configuration: for a BART trained on its own.
    pub(crate) fn of_paper() -> Self {
        Self {
            title_sep: title_sep(),
            doc_sep: doc_sep(),
            prefix: String::new(),
            max_combined_length: usize::MAX,
            lower_case_question: false,
        }
    }

    /// The layout `prefix title / text // question`, between the tokens that the tokenizer puts
    /// around a text.
    pub(super) fn layout(&self, (before, after): (&[TokenId], &[TokenId])) -> Layout {
        let text = |text: &str| Piece::Text(text.to_owned());
        let body = [
            text(&self.prefix),
            Piece::Slot(Slot::Title),
            text(&self.title_sep),
            Piece::Slot(Slot::Text),
            text(&self.doc_sep),
            Piece::Slot(Slot::Question),
        ];
        let control =
            |tokens: &[TokenId]| tokens.iter().map(|token| Piece::Control(*token)).collect::<Vec<_>>();
        let pieces = control(before).into_iter().chain(body).chain(control(after)).collect();
        let style = Style {
            collapse: true,
            bare_title: true,
            lower_case_question: self.lower_case_question,
            one_line: false,
        };
        Layout::new(pieces, &[self.doc_sep.clone(), self.title_sep.clone()], style)
    }
}
