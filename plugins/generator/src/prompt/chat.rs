//! A model's chat template, a Jinja program, filled once when the model is opened.
//!
//! The template never sees a question or a passage: it gets the instruction with marks in place of
//! the slots, and its output is cut at the marks. So user text cannot act on the template, and the
//! structure around it is fixed.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, context};

use super::instruction;
use super::layout::{Layout, Piece, Slot, Style};
use super::vocabulary::Vocabulary;
use crate::LoadError;

/// Maximum number of steps that a template may take; published ones take some hundreds.
const MAX_STEPS: u64 = 100_000;
/// Longest template that is run, in bytes; published ones have up to some 20,000.
const MAX_TEMPLATE_BYTES: usize = 1 << 20;

/// A chat template and the tokens it may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChatTemplate {
    pub(crate) source: String,
    /// Content of the begin token; empty when the model has none.
    pub(crate) bos_token: String,
    /// Content of the end token; empty when the model has none.
    pub(crate) eos_token: String,
}

/// A mark in place of a slot, made of private-use characters, which no template has.
fn mark(slot: Slot) -> String {
    let name = match slot {
        Slot::Question => 'q',
        Slot::Passage => 'p',
        Slot::Title => 't',
        Slot::Text => 'x',
    };
    format!("\u{f5a0}{name}\u{f5a1}")
}

impl ChatTemplate {
    /// Layout of a conversation with one user message, the instruction, up to the start of the
    /// assistant's turn.
    pub(super) fn layout(&self, vocabulary: &Vocabulary, instruction: &[Piece]) -> Result<Layout, LoadError> {
        let content: String = instruction
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Slot(slot) => mark(*slot),
                Piece::Control(_) => String::new(),
            })
            .collect();
        let rendered = self.render(&content).map_err(|error| {
            // The cause is in the chain: `invalid operation: raised: ...`.
            LoadError::Template { reason: format!("{error:#}") }
        })?;
        let mut pieces = Vec::new();
        let mut rest = rendered.as_str();
        let slots = [Slot::Question, Slot::Passage, Slot::Title, Slot::Text];
        let next = |rest: &str| slots.iter().filter_map(|slot| Some((rest.find(&mark(*slot))?, *slot))).min();
        while let Some((at, slot)) = next(rest) {
            pieces.extend(fixed(vocabulary, &rest[..at])?);
            pieces.push(Piece::Slot(slot));
            rest = &rest[at + mark(slot).len()..];
        }
        pieces.extend(fixed(vocabulary, rest)?);
        instruction::check(&pieces)?;
        Ok(Layout::new(pieces, &[], Style::default()))
    }

    fn render(&self, content: &str) -> Result<String, Error> {
        if self.source.len() > MAX_TEMPLATE_BYTES {
            return Err(Error::new(ErrorKind::InvalidOperation, "the template is too long"));
        }
        // These statements only mark the text that training learns from.
        let source = self.source.replace("{% generation %}", "").replace("{% endgeneration %}", "");
        let source = source.replace("{%- generation %}", "").replace("{%- endgeneration %}", "");
        let mut environment = Environment::new();
        // Settings with which transformers runs templates.
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_fuel(Some(MAX_STEPS));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        // A fixed date, the default of Llama's own template, so that a prompt is the same every
        // day.
        environment.add_function("strftime_now", |_: String| "26 Jul 2024");
        environment.template_from_str(&source)?.render(context! {
            messages => [context! { role => "user", content => content }],
            add_generation_prompt => true,
            enable_thinking => false,
            bos_token => &self.bos_token,
            eos_token => &self.eos_token,
        })
    }
}

/// Splits the fixed text of a template into pieces, recognizing its control tokens.
fn fixed(vocabulary: &Vocabulary, text: &str) -> Result<Vec<Piece>, LoadError> {
    let (mut pieces, mut last) = (Vec::new(), 0);
    for (token, range) in
        vocabulary.controls_in(text).map_err(|error| LoadError::Template { reason: error.to_string() })?
    {
        pieces.extend([Piece::Text(text[last..range.start].to_owned()), Piece::Control(token)]);
        last = range.end;
    }
    pieces.push(Piece::Text(text[last..].to_owned()));
    pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
    Ok(pieces)
}
