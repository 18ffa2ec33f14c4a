//! The tokenizer described by `tokenizer.ggml.*` in the metadata.
//!
//! It is built through the tokenizer library's own file format, whose fields are documented, not
//! through its constructors, which change. The file gives only the name of the pattern that splits
//! text before merging. An unknown name is refused, since another pattern would silently give other
//! tokens.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{GgufFile, GgufValue, sentencepiece};
use crate::{CheckpointError, Tokenizer};

const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

impl GgufFile {
    /// Builds the tokenizer.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`] when the file has none; [`CheckpointError::Corrupt`] when it
    /// cannot be built or its kind is not supported. Both name the cause.
    pub fn tokenizer(&self) -> Result<Tokenizer, CheckpointError> {
        build(self)
    }
}

fn build(file: &GgufFile) -> Result<Tokenizer, CheckpointError> {
    let missing =
        |key: &str| CheckpointError::Missing { path: file.path.clone(), file: format!("metadata {key}") };
    let model = file.text("tokenizer.ggml.model").ok_or_else(|| missing("tokenizer.ggml.model"))?;
    let tokens = file.texts("tokenizer.ggml.tokens").ok_or_else(|| missing("tokenizer.ggml.tokens"))?;
    let mut seen = HashSet::with_capacity(tokens.len());
    if let Some(twice) = tokens.iter().find(|token| !seen.insert(token.as_str())) {
        return Err(file.unreadable(format!("token {twice:?} occurs twice")));
    }
    let mut description = match model {
        "gpt2" => {
            let merges =
                file.texts("tokenizer.ggml.merges").ok_or_else(|| missing("tokenizer.ggml.merges"))?;
            let pre = file.text("tokenizer.ggml.pre").unwrap_or("default");
            byte_level(tokens, merges, pre).map_err(|reason| file.unreadable(reason))?
        }
        "llama" => match file.value("tokenizer.ggml.scores") {
            Some(GgufValue::Reals(scores)) if scores.len() == tokens.len() => {
                let prefix = file.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true);
                with_spaces(tokens, scores, prefix)
            }
            Some(_) => return Err(file.unreadable("there is not one score per token")),
            None => return Err(missing("tokenizer.ggml.scores")),
        },
        other => return Err(file.unreadable(format!("tokenizer {other:?} is not supported"))),
    };
    description["added_tokens"] = added(file, tokens)?;
    let bytes = serde_json::to_vec(&description).map_err(|error| file.unreadable(error.to_string()))?;
    Tokenizer::from_json(&bytes).map_err(|error| file.unreadable(error.to_string()))
}

/// Byte-level byte-pair encoding: GPT-2, Llama 3, Qwen, SmolLM.
fn byte_level(tokens: &[String], merges: &[String], pre: &str) -> Result<Value, String> {
    let split = |pattern: &str| {
        json!({"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
        ]})
    };
    let gpt2 =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true});
    let (pre_tokenizer, normalizer, whole_words) = match pre {
        "llama3" | "llama-v3" | "llama-bpe" | "smaug-bpe" | "falcon3" => (split(LLAMA3), Value::Null, true),
        "qwen2" | "deepseek-r1-qwen" | "megrez" => (split(QWEN2), json!({"type": "NFC"}), false),
        "smollm" | "starcoder" | "codeshell" | "refact" | "command-r" => {
            let digits = json!({"type": "Digits", "individual_digits": true});
            (json!({"type": "Sequence", "pretokenizers": [digits, gpt2]}), Value::Null, false)
        }
        "gpt-2" | "gpt2" | "default" | "olmo" | "phi-2" => (gpt2, Value::Null, false),
        other => return Err(format!("pre-tokenizer {other:?} is not supported")),
    };
    let pairs: Option<Vec<(&str, &str)>> = merges.iter().map(|merge| merge.split_once(' ')).collect();
    let pairs = pairs.ok_or("a merge is no pair")?;
    Ok(json!({
        "version": "1.0",
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "ignore_merges": whole_words, "byte_fallback": false, "fuse_unk": false,
            "vocab": vocabulary(tokens), "merges": pairs,
        },
    }))
}

/// SentencePiece: Llama 1 and 2, TinyLlama, Mistral.
fn with_spaces(tokens: &[String], scores: &[f32], prefix: bool) -> Value {
    let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let steps = if prefix { vec![json!({"type": "Prepend", "prepend": "▁"}), space] } else { vec![space] };
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if prefix {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let unknown = tokens.iter().find(|token| *token == "<unk>");
    json!({
        "version": "1.0",
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": null,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "BPE", "unk_token": unknown, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
            "vocab": vocabulary(tokens), "merges": sentencepiece::merges(tokens, scores),
        },
    })
}

fn vocabulary(tokens: &[String]) -> Value {
    tokens.iter().enumerate().map(|(id, token)| (token.clone(), json!(id))).collect()
}

/// Tokens that are never merged from text: control tokens and those that the model's author added.
fn added(file: &GgufFile, tokens: &[String]) -> Result<Value, CheckpointError> {
    let kinds: &[i64] = match file.value("tokenizer.ggml.token_type") {
        Some(GgufValue::Integers(kinds)) if kinds.len() == tokens.len() => kinds,
        Some(_) => return Err(file.unreadable("there is not one type per token")),
        None => &[],
    };
    let is_added = |(_, (kind, content)): &(usize, (&i64, &String))| {
        [CONTROL, USER_DEFINED].contains(kind) && !content.is_empty()
    };
    let entry = |(id, (kind, content)): (usize, (&i64, &String))| {
        json!({
            "id": id, "content": content, "special": *kind == CONTROL, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false,
        })
    };
    Ok(kinds.iter().zip(tokens).enumerate().filter(is_added).map(entry).collect())
}
