//! The default generator: a small trained reader. At each step it points at a piece of the passage,
//! continues after the piece last copied, generates a word, or says that the passage does not
//! answer.
//!
//! A BERT encoder reads `[CLS] question [SEP] title: passage [SEP]`; a one-cell decoder is a
//! pointer-generator after See et al. 2017, "Get To The Point", with a *continue* action added. The
//! origins of the pieces are a hidden Markov chain, summed out at every step: p(y_i|x,z,y_<i) is a
//! normalized distribution over the vocabulary, and the posterior of the chain says which bytes
//! were copied. `training/model.py` defines it.
//!
//! file | responsibility
//! ---|---
//! `config.rs` | the sizes and limits
//! `shown.rs` | the passage as the reader sees it: table rows with the names of their columns
//! `input.rs` | question and passage to word pieces, within the window
//! `network.rs` | the weights, and one step of the decoder
//! `vocabulary.rs` | the generator's product over all words
//! `memory.rs` | the encoder's states of a passage, and the prefixes read under it
//! `walk.rs` | many prefixes at once: their steps, distributions and scores
//! `path.rs` | the most probable origin of each piece
//! `render.rs` | converts pieces and origins to text
//! `decoding.rs` | the [`Decoding`] made of these parts
//! `built_in.rs` | the weights that ship with the crate (feature `reader`)

#[cfg(feature = "reader")]
mod built_in;
mod config;
mod decoding;
mod input;
mod memory;
mod network;
mod path;
mod render;
mod shown;
#[cfg(test)]
mod tests;
mod vocabulary;
mod walk;

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use postil_checkpoint::{CheckpointError, Damage, ModelFolder, Tokenizer, Weights};
use postil_contract::{Calibration, Decoding, GenerateError, Generator, Passage};
use postil_encoder::Sequence;
use postil_kernel::threads;

use crate::LoadError;
use config::{NAME, ReaderConfig};
use decoding::{ReaderDecoding, Reading};
use input::Input;
use memory::Memory;
use network::Network;

/// Number of passage pieces and answer prefixes cached for the next decoding: 13 MB of pieces at
/// 384 components, up to three times that for prefixes. A search under each passage alone reads the
/// same passages again, and reading takes most of an answer's time.
const REMEMBERED: usize = 8192;

/// Answers in few words, most of them copied from a passage, or says that no passage answers.
///
/// The question may have up to 96 word pieces, as in training ([`GenerateError::QuestionTooLong`]
/// for more). A title is cut to 32 pieces. A passage that does not fit the window of 512 beside
/// them is cut after the last sentence that fits, and reported by [`Decoding::shortened`].
pub struct ReaderGenerator {
    network: Network,
    tokenizer: Tokenizer,
    /// Memories kept, the most recently used last.
    memories: Mutex<VecDeque<Arc<Memory>>>,
}

impl ReaderGenerator {
    /// True when `folder` holds a reader, of any size.
    pub fn is_at(folder: &ModelFolder) -> bool {
        fs::read(folder.file("config.json")).is_ok_and(|text| ReaderConfig::is_of_reader(&text))
    }

    /// Loads the reader in `folder`: `config.json`, `tokenizer.json` and `model.safetensors` as
    /// `training/export.py` writes them.
    ///
    /// # Errors
    /// [`LoadError::Unsupported`] for another kind of model, [`LoadError::Config`] for sizes that
    /// do not fit together, [`LoadError::Checkpoint`] for files that are missing or damaged.
    pub fn open(folder: &Path) -> Result<Self, LoadError> {
        let folder = ModelFolder::open(folder)?;
        let path = folder.file("config.json");
        let text = fs::read(&path).map_err(|source| CheckpointError::Io { path, source })?;
        let config = ReaderConfig::parse(&text)?;
        let network = Network::load(config, &folder.weights()?, threads::available())?;
        Self::new(network, folder.tokenizer()?)
    }

    /// Loads a reader from the contents of its three files.
    ///
    /// # Errors
    /// As [`ReaderGenerator::open`].
    pub fn from_bytes(config: &[u8], tokenizer: &[u8], weights: Vec<u8>) -> Result<Self, LoadError> {
        let config = ReaderConfig::parse(config)?;
        let weights = Weights::from_bytes(Path::new("model.safetensors"), weights)?;
        let network = Network::load(config, &weights, threads::available())?;
        let tokenizer = Tokenizer::from_json(tokenizer).map_err(|error| unreadable(error.to_string()))?;
        Self::new(network, tokenizer)
    }

    fn new(network: Network, tokenizer: Tokenizer) -> Result<Self, LoadError> {
        let (words, known) = (network.config.bert.vocab_size, tokenizer.size());
        if words != known {
            let reason = format!("vocab_size is {words}, the tokenizer has {known} tokens");
            return Err(LoadError::Config { reason });
        }
        // User text such as "[SEP]" is plain text.
        let tokenizer = tokenizer.without_special();
        Ok(Self { network, tokenizer, memories: Mutex::default() })
    }

    /// Sets the number of threads, at least 1; the default is the number that this process may use.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.network.threads = threads.max(1);
        self
    }

    fn failed(&self, reason: &impl ToString) -> GenerateError {
        GenerateError::Model { model: NAME.to_owned(), reason: reason.to_string() }
    }

    /// The memories of `inputs`: cached ones, and the others read now, in one batch.
    fn remember(&self, inputs: &[Input]) -> Result<Vec<Arc<Memory>>, GenerateError> {
        let mut found: Vec<Option<Arc<Memory>>> = {
            let kept = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
            inputs.iter().map(|input| kept.iter().find(|memory| memory.is_of(input)).cloned()).collect()
        };
        let missing: Vec<usize> = (0..inputs.len()).filter(|index| found[*index].is_none()).collect();
        let kinds: Vec<Vec<u32>> = missing.iter().map(|index| inputs[*index].type_ids()).collect();
        let sequences: Vec<Sequence<'_>> = missing
            .iter()
            .zip(&kinds)
            .map(|(index, kinds)| Sequence { ids: &inputs[*index].ids, type_ids: kinds })
            .collect();
        let network = &self.network;
        let states = network.encoder.forward_many(&sequences, network.threads);
        for (index, states) in missing.into_iter().zip(states.map_err(|error| self.failed(&error))?) {
            found[index] = Some(Arc::new(network.begin(&inputs[index], states)));
        }
        let found: Vec<Arc<Memory>> = found.into_iter().flatten().collect();
        self.keep(&found);
        Ok(found)
    }

    /// Moves these memories to the end of the cache, and evicts the least recently used.
    fn keep(&self, used: &[Arc<Memory>]) {
        let mut kept = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|memory| !used.iter().any(|one| memory.is_like(one)));
        kept.extend(used.iter().cloned());
        // Each memory is measured once, since other threads may be adding prefixes.
        let mut sizes: VecDeque<usize> = kept.iter().map(|memory| memory.size()).collect();
        while sizes.iter().sum::<usize>() > REMEMBERED {
            kept.pop_front();
            sizes.pop_front();
        }
    }
}

impl Generator for ReaderGenerator {
    fn name(&self) -> &str {
        NAME
    }

    fn calibration(&self) -> Calibration {
        self.network.config.calibration()
    }

    /// # Errors
    /// [`GenerateError::NoPassages`]; [`GenerateError::EmptyQuestion`];
    /// [`GenerateError::QuestionTooLong`]; [`GenerateError::Model`] when the tokenizer or the
    /// encoder fails.
    fn start<'a>(
        &'a self,
        question: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        if passages.is_empty() {
            return Err(GenerateError::NoPassages);
        }
        let config = &self.network.config;
        let question = input::question(&self.tokenizer, config, question)?;
        let read = |passage: &Passage<'_>| input::read(&self.tokenizer, config, &question, *passage);
        let inputs = passages.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let memories = self.remember(&inputs)?;
        let readings = inputs.into_iter().zip(memories).map(|(input, memory)| Reading { input, memory });
        Ok(Box::new(ReaderDecoding::new(&self.network, &self.tokenizer, readings.collect())))
    }
}

fn unreadable(reason: String) -> LoadError {
    let (path, damage) = ("tokenizer.json".into(), Damage::Unreadable { reason });
    LoadError::Checkpoint(CheckpointError::Corrupt { path, damage })
}
