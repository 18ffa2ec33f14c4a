//! Language models: they map token ids to next-token logits, for every hypothesis under every
//! passage.
//!
//! Each family has one file and is a [`backbone::Backbone`] that reads the k prompts once and then
//! computes logits. The state that hypotheses share under a passage (an encoder's keys and values,
//! or a prompt's) is kept once; their own tokens are in a [`cache::Cache`] that a beam may reorder.
//! Activations and weights are f32, sums over the vocabulary f64.
//!
//! file | responsibility
//! ---|---
//! `prompt.rs` | a prompt's tokens, and what of them is the same for all questions
//! `backbone.rs` | the trait of every family
//! `config.rs` | configurations as published
//! `parameters.rs` | tensors by name and shape
//! `matrix.rs` | matrices, f32 or quantized
//! `layers.rs` | linear maps, activations
//! `product.rs` | products with packed matrices, on all threads
//! `packed.rs` | prompts packed end to end through an encoder
//! `padded.rs` | prompts of one length, padded
//! `norm.rs` | LayerNorm and RMSNorm
//! `attention.rs`, `attention/` | attention to own and to shared keys
//! `cache.rs` | keys and values of hypotheses
//! `bart.rs` | BART
//! `t5.rs` | T5, Flan-T5, mT5
//! `causal/` | decoder-only models
//! `family/` | families of decoder-only models, and how each differs
//! `rotary.rs` | rotary positions
//! `tree.rs` | tokens that continue a cache in branches
//! `decoding.rs` | the contract's decoding over a backbone

mod attention;
mod backbone;
mod bart;
mod cache;
mod causal;
mod config;
mod decoding;
pub(crate) mod family;
mod layers;
mod matrix;
mod norm;
mod packed;
mod padded;
mod parameters;
mod product;
mod prompt;
mod rotary;
mod t5;
mod tree;

use postil_contract::TokenId;
use serde::Deserialize;

use backbone::Backbone;
use bart::{Bart, BartConfig};
use causal::{Causal, CausalConfig};
pub(crate) use config::parse;
use config::{check, raw, said};
pub(crate) use decoding::{ModelDecoding, UNWATCHED};
pub use matrix::Matrix;
pub(crate) use prompt::Prompt;
use t5::{T5, T5Config};

pub use parameters::{LoadError, TensorSource};

/// Forced last token of a BART whose configuration names none.
const BART_FORCED_END: TokenId = 2;
/// Default end token of each encoder-decoder family, used when the configuration names none; others
/// have theirs in `family/`.
const ENDS: [(&str, TokenId); 3] = [("bart", 2), ("t5", 1), ("mt5", 1)];

/// A loaded language model of any family, without its tokenizer.
pub struct LanguageModel {
    name: String,
    backbone: Box<dyn Backbone>,
    longest: Option<usize>,
    /// True when an answer continues its prompt, at positions of one window.
    continues: bool,
    generation: GenerationSettings,
}

/// A checkpoint's settings for decoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenerationSettings {
    /// Tokens that end an answer.
    pub ends: Vec<TokenId>,
    /// First token of every answer; `None` when it is free.
    pub forced_first: Option<TokenId>,
    /// Last token of an answer that is cut at its limit; `None` when it is free.
    pub forced_last: Option<TokenId>,
    /// Length of the token runs that may occur only once; 0 allows all repetitions.
    pub no_repeat: usize,
}

/// Settings that `config.json` and `generation_config.json` share.
#[derive(Deserialize)]
struct Settings {
    eos_token_id: Option<OneOrMany<TokenId>>,
    forced_bos_token_id: Option<TokenId>,
    forced_eos_token_id: Option<TokenId>,
    no_repeat_ngram_size: Option<usize>,
}

/// A setting that is a value or a list of values.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> From<OneOrMany<T>> for Vec<T> {
    fn from(values: OneOrMany<T>) -> Self {
        match values {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values,
        }
    }
}

impl LanguageModel {
    /// Builds the model described by `config` (the text of `config.json`, as transformers 4 or 5
    /// writes it) from `tensors`. `generation`, the text of `generation_config.json`, takes
    /// precedence over `config`.
    ///
    /// # Errors
    /// [`LoadError`] for an unsupported architecture, a tensor that is missing or of another shape,
    /// or an invalid configuration.
    pub fn load(
        name: &str,
        config: &str,
        generation: Option<&str>,
        tensors: &dyn TensorSource,
    ) -> Result<Self, LoadError> {
        #[derive(Deserialize)]
        struct Family {
            model_type: String,
        }
        let mut family: Family = parse(config)?;
        let generator = raw(config)?.get_mut("generator").map(serde_json::Value::take);
        let generator = generator.filter(|part| family.model_type == "rag" && !part.is_null());
        let generator = generator.map(|part| part.to_string());
        let config = match &generator {
            Some(generator) => {
                family = parse(generator)?;
                generator
            }
            None => config,
        };
        check(config)?;
        let (backbone, longest): (Box<dyn Backbone>, _) = match family.model_type.as_str() {
            "bart" => {
                let config: BartConfig = parse(config)?;
                (Box::new(Bart::load(&config, tensors)?), Some(config.max_position_embeddings))
            }
            "t5" => (Box::new(T5::load(&parse::<T5Config>(config)?, tensors)?), None),
            "mt5" => (Box::new(T5::load(&T5Config::of_mt5(config)?, tensors)?), None),
            name => {
                let unsupported = || LoadError::Unsupported { what: "model_type", value: name.to_owned() };
                let config = CausalConfig::of(config, family::family(name).ok_or_else(unsupported)?)?;
                (Box::new(Causal::load(&config, tensors)?), Some(config.positions()))
            }
        };
        let mut settings: Settings = parse(config)?;
        if family.model_type == "bart" && !said(config, "forced_eos_token_id")? {
            settings.forced_eos_token_id = Some(BART_FORCED_END);
        }
        if !said(config, "eos_token_id")? {
            let end = ENDS.iter().find(|(name, _)| *name == family.model_type).map(|(_, end)| *end);
            let end = end.or_else(|| family::family(&family.model_type)?.end);
            settings.eos_token_id = end.map(OneOrMany::One);
        }
        if let Some(generation) = generation {
            let over: Settings = parse(generation)?;
            settings.eos_token_id = over.eos_token_id.or(settings.eos_token_id);
            settings.forced_bos_token_id = over.forced_bos_token_id.or(settings.forced_bos_token_id);
            settings.forced_eos_token_id = over.forced_eos_token_id.or(settings.forced_eos_token_id);
            settings.no_repeat_ngram_size = over.no_repeat_ngram_size.or(settings.no_repeat_ngram_size);
        }
        let ends = settings.eos_token_id.map(Vec::from).unwrap_or_default();
        let (forced_first, forced_last) = (settings.forced_bos_token_id, settings.forced_eos_token_id);
        let no_repeat = settings.no_repeat_ngram_size.unwrap_or(0);
        let generation = GenerationSettings { ends, forced_first, forced_last, no_repeat };
        let continues = !matches!(family.model_type.as_str(), "bart" | "t5" | "mt5");
        Ok(Self { name: name.to_owned(), backbone, longest, continues, generation })
    }

    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of tokens in the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.backbone.vocabulary()
    }

    /// Longest prompt in tokens, together with the answer if that continues the prompt's positions;
    /// `None` when positions have no limit.
    pub fn window(&self) -> Option<usize> {
        self.longest
    }

    /// True when an answer continues its prompt, in the same window.
    pub fn continues_prompt(&self) -> bool {
        self.continues
    }

    /// Sets how much memory passages that were read may take, 0 for none. A model that continues its
    /// prompt keeps the keys and values of passages, so that the next question about one need not
    /// read it again; those not used for longest are forgotten first. The default is 256 MiB.
    #[must_use]
    pub fn with_passage_memory(self, bytes: usize) -> Self {
        self.backbone.set_memory(bytes);
        self
    }

    /// The checkpoint's settings for decoding.
    pub fn generation(&self) -> &GenerationSettings {
        &self.generation
    }
}
