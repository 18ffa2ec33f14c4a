//! A folder's settings beyond the BERT itself: pooling, normalization, window, prompts, score
//! scale.
//!
//! The sources are the files of sentence-transformers (`modules.json`, `1_Pooling/config.json`,
//! `sentence_bert_config.json`, `config_sentence_transformers.json`), the conventions of DPR, and
//! `postil.json`, which overrides the others.

use std::collections::BTreeMap;

use postil_checkpoint::{Fingerprint, ModelFolder};
use postil_contract::Similarity;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::pooling::Pooling;
use crate::{BertConfig, EncoderError};

/// The scale s in p(z|x) for models trained with cosine times 20, the default of
/// sentence-transformers.
pub const COSINE_SCORE_SCALE: f32 = 20.0;
/// The scale s in p(z|x) for models whose raw products were trained as logits.
pub const DOT_SCORE_SCALE: f32 = 1.0;

/// Smallest window, in tokens: `[CLS]`, `[SEP]` and one token of text.
const LEAST_WINDOW: usize = 3;

/// The form in which a passage's title reaches the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Titles {
    /// Title, newline and text, joined.
    Joined,
    /// A pair of title and text, `[CLS] title [SEP] text [SEP]`, all of kind 0, as in the training
    /// of the DPR checkpoints.
    Pair,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recipe {
    pub(crate) pooling: Pooling,
    pub(crate) normalize: bool,
    pub(crate) lower_case: bool,
    pub(crate) max_tokens: usize,
    pub(crate) titles: Titles,
    pub(crate) question_prompt: String,
    pub(crate) passage_prompt: String,
    pub(crate) similarity: Similarity,
    pub(crate) score_scale: f32,
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    r#type: String,
}

const ORDER: &str = "Transformer, Pooling, Normalize, in this order, each once";
const MODULES: &str = "modules.json";
const PROMPTS: &str = "config_sentence_transformers.json";

#[derive(Default, Deserialize)]
#[serde(default)]
struct SentenceBert {
    max_seq_length: Option<usize>,
    do_lower_case: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SentenceTransformers {
    prompts: Option<BTreeMap<String, String>>,
    default_prompt_name: Option<String>,
    similarity_fn_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenizerConfig {
    // A floating-point number: "no limit" is written as 1e30, which fits no integer.
    model_max_length: Option<f64>,
}

/// `postil.json`: settings that the other files lack.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Overrides {
    score_scale: Option<f32>,
    #[serde(rename = "$comment")]
    _comment: Option<IgnoredAny>,
}

impl Recipe {
    pub(crate) fn open(folder: &ModelFolder, config: &BertConfig) -> Result<Self, EncoderError> {
        let mut recipe = match config.model_type.as_str() {
            "dpr" => Self::dpr(),
            _ => Self::sentence_transformers(folder)?,
        };
        let stated: SentenceBert =
            folder.settings_if_present("sentence_bert_config.json")?.unwrap_or_default();
        recipe.lower_case = stated.do_lower_case;
        recipe.max_tokens = config.max_position_embeddings;
        if let Some(limit) = stated.max_seq_length {
            recipe.max_tokens = recipe.max_tokens.min(limit);
        } else {
            let file = match BertConfig::is_part(folder)? {
                true => "question_encoder_tokenizer/tokenizer_config.json",
                false => "tokenizer_config.json",
            };
            let tokenizer: TokenizerConfig = folder.settings_if_present(file)?.unwrap_or_default();
            let limit = tokenizer.model_max_length.unwrap_or(f64::INFINITY);
            recipe.max_tokens = recipe.max_tokens.min(limit as usize);
        }
        let invalid = |reason| EncoderError::Config { path: folder.path().to_owned(), reason };
        if recipe.max_tokens < LEAST_WINDOW {
            return Err(invalid(format!("the window of {} tokens holds no text", recipe.max_tokens)));
        }
        let overrides: Overrides = folder.settings_if_present("postil.json")?.unwrap_or_default();
        if let Some(scale) = overrides.score_scale {
            if !(scale.is_finite() && scale > 0.0) {
                return Err(invalid(format!("score_scale is {scale}, expected a positive number")));
            }
            recipe.score_scale = scale;
        }
        Ok(recipe)
    }

    fn dpr() -> Self {
        Self {
            pooling: Pooling::Cls,
            normalize: false,
            lower_case: false,
            max_tokens: 0,
            titles: Titles::Pair,
            question_prompt: String::new(),
            passage_prompt: String::new(),
            similarity: Similarity::Dot,
            score_scale: DOT_SCORE_SCALE,
        }
    }

    fn sentence_transformers(folder: &ModelFolder) -> Result<Self, EncoderError> {
        let (mut pooling, mut normalize, mut last) = (Pooling::Mean, false, 0);
        for module in folder.settings_if_present::<Vec<Module>>(MODULES)?.unwrap_or_default() {
            let unsupported = |field, got: String, supported| {
                Err(EncoderError::Unsupported { path: folder.file(MODULES), field, got, supported })
            };
            let place = match module.r#type.rsplit('.').next().unwrap_or_default() {
                "Transformer" | "BERT" if module.path.is_empty() => 1,
                "Transformer" | "BERT" => {
                    return unsupported("path of Transformer", module.path, "the folder itself");
                }
                "Pooling" => {
                    pooling = Pooling::open(folder, &module.path)?;
                    2
                }
                "Normalize" => {
                    normalize = true;
                    3
                }
                _ => return unsupported("type", module.r#type, "Transformer, Pooling, Normalize"),
            };
            if place <= last {
                return unsupported("type", format!("{} once more, or late", module.r#type), ORDER);
            }
            last = place;
        }
        let stated: SentenceTransformers = folder.settings_if_present(PROMPTS)?.unwrap_or_default();
        // Vectors compared by cosine are normalized, even when the model has no module for it.
        // Between unit vectors every measure gives the same ranking.
        let dot = match stated.similarity_fn_name.as_deref() {
            _ if normalize => false,
            None | Some("cosine" | "cos_sim") => false,
            Some("dot" | "dot_score") => true,
            Some(other) => {
                return Err(EncoderError::Unsupported {
                    path: folder.file(PROMPTS),
                    field: "similarity_fn_name",
                    got: other.to_owned(),
                    supported: "cosine, dot; any where vectors are normalized",
                });
            }
        };
        let prompts = stated.prompts.unwrap_or_default();
        let prompt = |names: &[&str]| {
            let mut names = names.iter().copied().chain(stated.default_prompt_name.as_deref());
            names.find_map(|name| prompts.get(name)).cloned().unwrap_or_default()
        };
        Ok(Self {
            pooling,
            normalize: !dot,
            lower_case: false,
            max_tokens: 0,
            titles: Titles::Joined,
            question_prompt: prompt(&["query", "question"]),
            passage_prompt: prompt(&["document", "passage", "corpus"]),
            similarity: if dot { Similarity::Dot } else { Similarity::Cosine },
            score_scale: if dot { DOT_SCORE_SCALE } else { COSINE_SCORE_SCALE },
        })
    }

    /// Adds everything that decides the vectors to a fingerprint; the score scale does not.
    pub(crate) fn fingerprint(&self, fingerprint: &mut Fingerprint) {
        let Self { pooling, normalize, lower_case, max_tokens, titles, .. } = self;
        let how = format!("{pooling:?} {normalize} {lower_case} {max_tokens} {titles:?}");
        fingerprint.part("recipe", how.as_bytes());
        fingerprint.part("question prompt", self.question_prompt.as_bytes());
        fingerprint.part("passage prompt", self.passage_prompt.as_bytes());
    }
}
