use postil_checkpoint::{GgufFile, GgufValue};
use postil_contract::TokenId;
use serde_json::{Value, json};

use super::blocks::Blocks;
use super::opened::{MAX_WINDOW, Opened};
use crate::model::family::{FAMILIES, Family};
use crate::prompt::{ChatTemplate, Form, Vocabulary};
use crate::{LanguageModel, LoadError, TensorSource};

/// Names of control tokens that end a turn; a file's metadata may name only one of them.
const ENDS: [&str; 6] =
    ["<|eot_id|>", "<|im_end|>", "<|end|>", "<|eom_id|>", "<end_of_turn>", "<|endoftext|>"];

/// Opens the model in one GGUF file.
pub(super) fn open(file: &GgufFile) -> Result<Opened, LoadError> {
    let metadata = Metadata { file, family: family(file)? };
    // The tokenizer is built by one thread while the others lay out the weights.
    let (vocabulary, model) = rayon::join(|| metadata.vocabulary(), || model(file, &metadata));
    let (vocabulary, model) = (vocabulary?, model?);
    let template = file.text("tokenizer.chat_template").map(|source| ChatTemplate {
        source: source.to_owned(),
        bos_token: metadata.token("bos"),
        eos_token: metadata.token("eos"),
    });
    let window = model.window().unwrap_or(MAX_WINDOW).min(MAX_WINDOW);
    let form = template.map_or(Form::Completion, Form::Chat);
    Ok(Opened { model, vocabulary, form, window, stop_strings: Vec::new() })
}

fn model(file: &GgufFile, metadata: &Metadata<'_>) -> Result<LanguageModel, LoadError> {
    let mut config = metadata.config()?;
    let paired = match metadata.family.paired {
        true => Some((metadata.needed("attention.head_count")?, metadata.groups()?)),
        false => None,
    };
    let tokens = file.texts("tokenizer.ggml.tokens").map_or(0, <[String]>::len);
    if config["vocab_size"] != json!(tokens) {
        let model = config["vocab_size"].as_u64().unwrap_or(0) as usize;
        return Err(LoadError::Vocabulary { tokenizer: tokens, model });
    }
    let blocks = Blocks::new(file, paired, metadata.family.parts);
    if let Some(scaling) = metadata.rotary(&blocks)? {
        config["rope_scaling"] = scaling;
    }
    LanguageModel::load(&file.name(), &config.to_string(), None, &blocks)
}

fn family(file: &GgufFile) -> Result<&'static Family, LoadError> {
    let name = file
        .text("general.architecture")
        .ok_or_else(|| LoadError::Config { reason: "no general.architecture".to_owned() })?;
    let unsupported = || LoadError::Unsupported { what: "architecture", value: name.to_owned() };
    FAMILIES.into_iter().find(|known| known.architecture == Some(name)).ok_or_else(unsupported)
}

/// The metadata of a file under the prefix of its model's family.
struct Metadata<'a> {
    file: &'a GgufFile,
    family: &'static Family,
}

impl Metadata<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.family.architecture.unwrap_or(self.family.name))
    }

    fn count(&self, name: &str) -> Option<usize> {
        self.file.count(&self.key(name)).and_then(|count| usize::try_from(count).ok())
    }

    fn needed(&self, name: &str) -> Result<usize, LoadError> {
        self.count(name).ok_or_else(|| LoadError::Config { reason: format!("no number {}", self.key(name)) })
    }

    fn groups(&self) -> Result<usize, LoadError> {
        self.count("attention.head_count_kv").map_or_else(|| self.needed("attention.head_count"), Ok)
    }

    /// The configuration in the format of `config.json`.
    fn config(&self) -> Result<Value, LoadError> {
        if let Some(experts) = self.count("expert_count").filter(|experts| *experts > 0) {
            return Err(LoadError::Unsupported { what: "mixture of experts", value: experts.to_string() });
        }
        let embedding = self.file.tensors().get("token_embd.weight");
        let embedding = embedding.ok_or(LoadError::MissingTensor { name: "token_embd.weight".to_owned() })?;
        let epsilon = self.key("attention.layer_norm_rms_epsilon");
        let epsilon =
            self.file.number(&epsilon).ok_or(LoadError::Config { reason: format!("no {epsilon}") })?;
        let (width, heads) = (self.needed("embedding_length")?, self.needed("attention.head_count")?);
        let head = self.count("attention.key_length").or_else(|| width.checked_div(heads)).unwrap_or(0);
        if let Some(part) = self.count("rope.dimension_count").filter(|part| *part != head) {
            return Err(LoadError::Unsupported {
                what: "rotation of parts of a head",
                value: part.to_string(),
            });
        }
        if self.count("attention.value_length").is_some_and(|value| value != head) {
            let value = "values of another width than keys".to_owned();
            return Err(LoadError::Unsupported { what: "kind of attention", value });
        }
        let mut config = json!({
            "model_type": self.family.name,
            "vocab_size": embedding.shape.first().copied().unwrap_or(0),
            "hidden_size": width,
            "intermediate_size": self.needed("feed_forward_length")?,
            "num_hidden_layers": self.needed("block_count")?,
            "num_attention_heads": heads,
            "num_key_value_heads": self.groups()?,
            "head_dim": head,
            "rms_norm_eps": epsilon,
            "max_position_embeddings": self.needed("context_length")?,
            "rope_theta": self.file.number(&self.key("rope.freq_base")),
            "eos_token_id": self.ends(),
        });
        let own = (self.family.of_gguf)(&|name| self.file.number(&self.key(name)));
        if let Some(config) = config.as_object_mut() {
            config.extend(own);
        }
        Ok(config)
    }

    /// Scaling of the rotary frequencies, in the format of `config.json`; `None` when there is
    /// none.
    fn rotary(&self, blocks: &Blocks<'_>) -> Result<Option<Value>, LoadError> {
        if self.file.tensors().contains_key("rope_freqs.weight") {
            let factors = blocks.factors("rope_freqs.weight")?;
            return Ok(Some(json!({"rope_type": "factors", "factors": factors})));
        }
        if self.file.tensors().contains_key("rope_factors_short.weight") {
            let factors = blocks.factors("rope_factors_short.weight")?;
            let scale = self.file.number(&self.key("rope.scaling.attn_factor"));
            let scaling =
                json!({"rope_type": "longrope", "short_factor": factors, "attention_factor": scale});
            return Ok(Some(scaling));
        }
        match self.file.text(&self.key("rope.scaling.type")) {
            None | Some("none") => Ok(None),
            Some(kind) => {
                let factor = self.file.number(&self.key("rope.scaling.factor"));
                Ok(Some(json!({"rope_type": kind, "factor": factor})))
            }
        }
    }

    fn special(&self, name: &str) -> Option<TokenId> {
        let id = self.file.count(&format!("tokenizer.ggml.{name}_token_id"))?;
        let tokens = self.file.texts("tokenizer.ggml.tokens").map_or(0, <[String]>::len);
        TokenId::try_from(id).ok().filter(|id| (*id as usize) < tokens)
    }

    /// The content of a special token; empty when there is none.
    fn token(&self, name: &str) -> String {
        let tokens = self.file.texts("tokenizer.ggml.tokens").unwrap_or_default();
        self.special(name).and_then(|id| tokens.get(id as usize)).cloned().unwrap_or_default()
    }

    fn ends(&self) -> Vec<TokenId> {
        let is_control = |id: &TokenId| match self.file.value("tokenizer.ggml.token_type") {
            Some(GgufValue::Integers(kinds)) => kinds.get(*id as usize) == Some(&3),
            _ => false,
        };
        let named = ["eos", "eot", "eom"].into_iter().filter_map(|name| self.special(name));
        let tokens = self.file.texts("tokenizer.ggml.tokens").unwrap_or_default();
        let places = tokens.iter().zip(0..).filter(|(content, _)| ENDS.contains(&content.as_str()));
        let known = places.map(|(_, id)| id).filter(is_control);
        let mut ends: Vec<TokenId> = named.chain(known).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    fn vocabulary(&self) -> Result<Vocabulary, LoadError> {
        let tokenizer = self.file.tokenizer()?;
        // Default for a file without `add_bos_token`, the same as in the tools that write such
        // files.
        let kind = (self.file.text("tokenizer.ggml.model"), self.file.text("tokenizer.ggml.pre"));
        let begins = matches!(kind, (Some("llama"), _) | (_, Some("llama-bpe" | "llama3" | "llama-v3")));
        let begins = self.file.flag("tokenizer.ggml.add_bos_token").unwrap_or(begins);
        let before = self.special("bos").filter(|_| begins).into_iter().collect();
        Ok(Vocabulary::with_around(tokenizer, before, Vec::new()))
    }
}

impl Blocks<'_> {
    /// Divisors of the rotary frequencies.
    fn factors(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let failed = |source| LoadError::Tensor { name: name.to_owned(), source };
        self.tensor(name)?.flatten_all().and_then(|factors| factors.to_vec1()).map_err(failed)
    }
}
