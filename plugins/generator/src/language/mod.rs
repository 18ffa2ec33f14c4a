//! A language model with its tokenizer and its prompt, as a generator of the contract.
//!
//! file | responsibility
//! ---|---
//! `opened.rs` | an opened model, from either layout
//! `folder.rs` | opens a model folder
//! `gguf.rs` | opens a GGUF file, with the settings in its metadata
//! `blocks.rs` | the weights of a GGUF file
//! `decoding.rs` | a model's decoding, with text
//! `ahead.rs` | passages read before a question is asked

mod ahead;
mod blocks;
mod decoding;
mod folder;
mod gguf;
mod opened;

use std::path::Path;

use postil_checkpoint::{GgufFile, ModelFolder};
use postil_contract::{Decoding, GenerateError, Generator, Passage, ReadAhead, ReadWatch, TokenId};

use crate::model::UNWATCHED;
use crate::prompt::{Fitted, Form, Layout, Vocabulary, fit};
use crate::{DEFAULT_MAX_TOKENS, LanguageModel, LoadError};
use decoding::LanguageDecoding;
use opened::Opened;

/// Maximum number of entries in a model's table beyond its tokenizer's: tables are padded to round
/// sizes.
const MAX_PADDING: usize = 4096;
/// Stop string of a model that continues a text and has no other end: its answer is one line.
const COMPLETION_STOP: &str = "\n";

/// A generator that answers in its own words, with a language model: BART and RAG checkpoints, T5,
/// Llama, SmolLM, Qwen2, Qwen3, Mistral, Gemma 2, Gemma 3 for text, Phi-3.
pub struct LanguageGenerator {
    model: LanguageModel,
    vocabulary: Vocabulary,
    form: Form,
    layout: Layout,
    window: usize,
    answer_tokens: usize,
    stop_strings: Vec<String>,
}

impl LanguageGenerator {
    /// Opens the model at `path`: a folder of the Hugging Face layout, or one GGUF file.
    ///
    /// # Errors
    /// [`LoadError`]: [`LoadError::Checkpoint`] for files that are missing or damaged,
    /// [`LoadError::Unsupported`] for a model that is not supported, [`LoadError::Vocabulary`] when
    /// tokenizer and model do not belong together, [`LoadError::Template`] for an unusable chat
    /// template.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let opened = match path.is_file() {
            true => gguf::open(&GgufFile::open(path)?)?,
            false => folder::open(&ModelFolder::open(path)?)?,
        };
        Self::new(opened)
    }

    fn new(opened: Opened) -> Result<Self, LoadError> {
        let Opened { model, vocabulary, form, window, mut stop_strings } = opened;
        let (tokens, known) = (vocabulary.size(), model.vocabulary());
        if tokens > known || known - tokens > MAX_PADDING {
            return Err(LoadError::Vocabulary { tokenizer: tokens, model: known });
        }
        if let Some(end) = model.generation().ends.iter().find(|end| **end as usize >= known) {
            let reason = format!("end token {end} is not among the {known} tokens");
            return Err(LoadError::Config { reason });
        }
        stop_strings.retain(|stop| !stop.is_empty());
        if matches!(form, Form::Completion) {
            stop_strings.push(COMPLETION_STOP.to_owned());
        }
        let layout = form.layout(&vocabulary, None)?;
        let answer_tokens = DEFAULT_MAX_TOKENS;
        Ok(Self { model, vocabulary, form, layout, window, answer_tokens, stop_strings })
    }

    /// Sets the instruction: text that contains `{question}`, and `{passage}` or both `{title}` and
    /// `{text}`. A model with a chat template gets it as the user's message. Defaults:
    /// [`crate::DEFAULT_CHAT_INSTRUCTION`], [`crate::DEFAULT_T5_INSTRUCTION`],
    /// [`crate::DEFAULT_COMPLETION`]; for BART and RAG checkpoints the form they were trained with.
    ///
    /// # Errors
    /// [`LoadError::Template`] when the question or the passage has no place in it.
    pub fn with_instruction(mut self, instruction: &str) -> Result<Self, LoadError> {
        self.layout = self.form.layout(&self.vocabulary, Some(instruction))?;
        Ok(self)
    }

    /// Adds texts that end an answer, beside those that the model's files name; they are not part
    /// of the answer.
    #[must_use]
    pub fn with_stop_strings(mut self, stops: impl IntoIterator<Item = String>) -> Self {
        self.stop_strings.extend(stops.into_iter().filter(|stop| !stop.is_empty()));
        self
    }

    /// Sets the longest prompt in tokens, including the answer when both share a window; never
    /// beyond the model's own window. The default is the model's window, for decoder-only models at
    /// most 4096, for T5 the length it was trained with.
    #[must_use]
    pub fn with_window(mut self, tokens: usize) -> Self {
        self.window = self.model.window().map_or(tokens, |window| window.min(tokens));
        self
    }

    /// Sets how much memory passages that were read may take: see
    /// [`LanguageModel::with_passage_memory`].
    #[must_use]
    pub fn with_passage_memory(mut self, bytes: usize) -> Self {
        self.model = self.model.with_passage_memory(bytes);
        self
    }

    /// Sets the number of tokens of a shared window kept for the answer, at most half of it. The
    /// default is [`DEFAULT_MAX_TOKENS`], the default limit of an answer.
    #[must_use]
    pub fn with_answer_room(mut self, tokens: usize) -> Self {
        self.answer_tokens = tokens;
        self
    }

    /// The model without its tokenizer.
    pub fn model(&self) -> &LanguageModel {
        &self.model
    }

    /// The prompt tokens for each passage, and the positions of the passages that were shortened to
    /// fit.
    ///
    /// # Errors
    /// As [`Generator::start`].
    pub fn prompts(
        &self,
        question: &str,
        passages: &[Passage<'_>],
    ) -> Result<(Vec<Vec<TokenId>>, Vec<usize>), GenerateError> {
        let fitted = self.fitted(question, passages)?;
        Ok((fitted.prompts.into_iter().map(|prompt| prompt.tokens).collect(), fitted.shortened))
    }

    fn fitted(&self, question: &str, passages: &[Passage<'_>]) -> Result<Fitted, GenerateError> {
        if passages.is_empty() {
            return Err(GenerateError::NoPassages);
        }
        if question.trim().is_empty() {
            return Err(GenerateError::EmptyQuestion);
        }
        let room = match self.model.continues_prompt() {
            true => self.answer_tokens.clamp(1, (self.window / 2).max(1)),
            false => 0,
        };
        let longest = self.window.saturating_sub(room);
        fit(&self.layout, &self.vocabulary, question, passages, longest)
    }
}

impl Generator for LanguageGenerator {
    fn name(&self) -> &str {
        self.model.name()
    }

    /// True for decoder-only models: beams take several times as long and, on questions held out for
    /// it, find no better answers.
    fn prefers_greedy(&self) -> bool {
        self.model.continues_prompt()
    }

    /// # Errors
    /// [`GenerateError::NoPassages`]; [`GenerateError::EmptyQuestion`]; [`GenerateError::TooLong`]
    /// when the question does not fit with an empty passage; [`GenerateError::Model`].
    fn start<'a>(
        &'a self,
        question: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        self.start_watched(question, passages, UNWATCHED)
    }

    fn start_watched<'a>(
        &'a self,
        question: &str,
        passages: &[Passage<'_>],
        watch: ReadWatch<'_>,
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        let Fitted { prompts, shortened } = self.fitted(question, passages)?;
        let model = self.model.decoding(&prompts, watch)?;
        let (vocabulary, stop_strings) = (&self.vocabulary, self.stop_strings.as_slice());
        Ok(Box::new(LanguageDecoding { model, vocabulary, stop_strings, shortened }))
    }

    fn ahead(&self) -> Option<&dyn ReadAhead> {
        self.model.keeps().then_some(self as &dyn ReadAhead)
    }
}
