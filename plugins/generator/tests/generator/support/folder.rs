//! Model folders written by tests: a byte-level tokenizer, and weights that are small but not zero.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};

/// The control tokens of [`tokenizer`], whose ids follow those of the 256 bytes.
pub(crate) const CONTROLS: [&str; 5] = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<think>"];
pub(crate) const VOCABULARY: usize = 256 + CONTROLS.len();

pub(crate) const CHATML: &str = "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message['role'] }}\n\
    {{ message['content'].strip() }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// The character that stands for a byte in byte-level vocabularies.
pub(crate) fn letter(byte: u8) -> char {
    let is_plain = |b: &u8| (33..=126).contains(b) || (161..=172).contains(b) || *b >= 174;
    match is_plain(&byte) {
        true => char::from(byte),
        false => char::from_u32(256 + (0..byte).filter(|b| !is_plain(b)).count() as u32).unwrap(),
    }
}

/// Id of a control token.
pub(crate) fn control(content: &str) -> u32 {
    256 + CONTROLS.iter().position(|known| *known == content).unwrap() as u32
}

pub(crate) fn vocabulary() -> Vec<String> {
    let bytes = (0..=255u8).map(|byte| letter(byte).to_string());
    bytes.chain(CONTROLS.iter().map(|content| (*content).to_owned())).collect()
}

/// `tokenizer.json`: one token per byte, and control tokens. `<think>` is one that is not marked as
/// special.
pub(crate) fn tokenizer() -> Value {
    let vocabulary: serde_json::Map<String, Value> =
        vocabulary().into_iter().enumerate().map(|(id, token)| (token, json!(id))).collect();
    let added = CONTROLS.iter().map(|content| {
        json!({"id": control(content), "content": content, "special": *content != "<think>", "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false})
    });
    let bytes =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true});
    json!({
        "version": "1.0", "added_tokens": added.collect::<Vec<_>>(), "normalizer": null, "pre_tokenizer": bytes,
        "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", control("<s>")],
            "sep": ["</s>", control("</s>")], "trim_offsets": false, "add_prefix_space": false},
        "decoder": bytes, "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    })
}

/// A tensor of values that bf16 holds exactly.
pub(crate) fn tensor(seed: usize, shape: &[usize]) -> Tensor {
    let value = |i: usize| ((i * 7 + seed * 13 + i * i % 5) % 11) as f32 / 16.0 - 0.3125;
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

pub(crate) fn named(shapes: &[(String, Vec<usize>)]) -> HashMap<String, Tensor> {
    shapes.iter().enumerate().map(|(seed, (name, shape))| (name.clone(), tensor(seed, shape))).collect()
}

pub(crate) fn llama_config(window: usize) -> Value {
    json!({"model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 16, "intermediate_size": 24,
        "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
        "max_position_embeddings": window, "eos_token_id": [control("</s>"), control("<|im_end|>")]})
}

pub(crate) fn llama_tensors() -> HashMap<String, Tensor> {
    let shapes: [(&str, &[usize]); 11] = [
        ("embed_tokens", &[VOCABULARY, 16]),
        ("norm", &[16]),
        ("layers.0.input_layernorm", &[16]),
        ("layers.0.post_attention_layernorm", &[16]),
        ("layers.0.self_attn.q_proj", &[16, 16]),
        ("layers.0.self_attn.k_proj", &[8, 16]),
        ("layers.0.self_attn.v_proj", &[8, 16]),
        ("layers.0.self_attn.o_proj", &[16, 16]),
        ("layers.0.mlp.gate_proj", &[24, 16]),
        ("layers.0.mlp.up_proj", &[24, 16]),
        ("layers.0.mlp.down_proj", &[16, 24]),
    ];
    named(&shapes.map(|(name, shape)| (format!("model.{name}.weight"), shape.to_vec())))
}

/// A BART of one layer on each side.
pub(crate) fn bart_config() -> Value {
    json!({"model_type": "bart", "vocab_size": VOCABULARY, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 12, "decoder_ffn_dim": 12,
        "max_position_embeddings": 600, "decoder_start_token_id": control("</s>"), "eos_token_id": control("</s>"),
        "forced_bos_token_id": control("<s>"), "forced_eos_token_id": control("</s>")})
}

/// The tensors of [`bart_config`] under `prefix`.
pub(crate) fn bart_tensors(prefix: &str) -> HashMap<String, Tensor> {
    let mut shapes = vec![("shared.weight".to_owned(), vec![VOCABULARY, 8])];
    for side in ["encoder", "decoder"] {
        let mut put = |name: &str, shape: &[usize]| shapes.push((format!("{side}.{name}"), shape.to_vec()));
        put("embed_positions.weight", &[602, 8]);
        let (mut norms, mut maps) = (
            vec!["layers.0.self_attn_layer_norm", "layers.0.final_layer_norm", "layernorm_embedding"],
            vec!["self_attn"],
        );
        if side == "decoder" {
            norms.push("layers.0.encoder_attn_layer_norm");
            maps.push("encoder_attn");
        }
        for norm in norms {
            put(&format!("{norm}.weight"), &[8]);
            put(&format!("{norm}.bias"), &[8]);
        }
        for (map, part) in maps.iter().flat_map(|map| ["q", "k", "v", "out"].map(|part| (map, part))) {
            put(&format!("layers.0.{map}.{part}_proj.weight"), &[8, 8]);
            put(&format!("layers.0.{map}.{part}_proj.bias"), &[8]);
        }
        put("layers.0.fc1.weight", &[12, 8]);
        put("layers.0.fc1.bias", &[12]);
        put("layers.0.fc2.weight", &[8, 12]);
        put("layers.0.fc2.bias", &[8]);
    }
    named(&shapes).into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect()
}

/// The files of a folder, which is removed when dropped.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, file: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn json(&self, file: &str, content: &Value) {
        self.write(file, content.to_string());
    }

    pub(crate) fn weights(&self, file: &str, tensors: &HashMap<String, Tensor>, dtype: DType) {
        let converted: HashMap<_, _> =
            tensors.iter().map(|(name, tensor)| (name.clone(), tensor.to_dtype(dtype).unwrap())).collect();
        candle_core::safetensors::save(&converted, self.path().join(file)).unwrap();
    }

    /// A folder with a Llama that has a chat template, or one that continues a text.
    pub(crate) fn llama(window: usize, template: Option<&str>) -> Self {
        let folder = Self::new();
        folder.json("config.json", &llama_config(window));
        folder.json("tokenizer.json", &tokenizer());
        folder.json("tokenizer_config.json", &json!({"bos_token": "<s>", "chat_template": template}));
        folder.weights("model.safetensors", &llama_tensors(), DType::F32);
        folder
    }

    /// A folder with a BART of [`bart_config`].
    pub(crate) fn bart() -> Self {
        let folder = Self::new();
        folder.json("config.json", &bart_config());
        folder.json("tokenizer.json", &tokenizer());
        folder.weights("model.safetensors", &bart_tensors("model."), DType::F32);
        folder
    }
}
