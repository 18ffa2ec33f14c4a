//! Generators opened from GGUF files, against the same weights from safetensors.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use postil_contract::{Generator, Passage, TokenId};
use postil_generator::{LanguageGenerator, LanguageModel, LoadError};

use crate::golden_models::{ids, prompts, tensors};
use crate::support::folder::{CHATML, CONTROLS, Folder, control, llama_config, llama_tensors, vocabulary};
use crate::support::golden;

const NAMES: [(&str, &str); 18] = [
    ("model.embed_tokens", "token_embd"),
    ("model.norm", "output_norm"),
    ("lm_head", "output"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("pre_feedforward_layernorm", "ffn_norm"),
    ("post_feedforward_layernorm", "post_ffw_norm"),
    ("self_attn.qkv_proj", "attn_qkv"),
    ("mlp.gate_up_proj", "ffn_up"),
];

/// The architecture under which files store a family.
fn architecture(family: &str) -> &str {
    match family {
        "mistral" => "llama",
        "gemma3_text" => "gemma3",
        _ => family,
    }
}

/// Largest relative error of logits (root mean square) when activations are rounded to 8 bits
/// beside 8-bit weights, for the stored models, whose random weights propagate every rounding
/// error.
const Q8_ERROR: f64 = 0.15;

/// The parts of a file; tests change them before it is written.
struct Parts {
    metadata: Vec<(String, Value)>,
    tensors: Vec<(String, QTensor)>,
}

impl Parts {
    /// The parts as conversion tools write a published checkpoint: rows of Llama's queries and keys
    /// in pairs. Matrices get type `dtype` if its blocks divide their rows.
    fn of(
        config: &serde_json::Value,
        tensors: &HashMap<String, Tensor>,
        tokens: &[String],
        dtype: GgmlDType,
    ) -> Self {
        let family = architecture(config["model_type"].as_str().unwrap());
        let is_gemma = family.starts_with("gemma");
        let number = |key: &str| config[key].as_u64().unwrap() as u32;
        let (width, heads) = (number("hidden_size"), number("num_attention_heads"));
        let head = config["head_dim"].as_u64().map_or(width / heads, |head| head as u32);
        let theta = config["rope_theta"].as_f64().unwrap_or(10_000.0);
        let kinds =
            tokens.iter().map(|token| Value::I32(if CONTROLS.contains(&token.as_str()) { 3 } else { 1 }));
        let mut metadata: Vec<(String, Value)> = vec![
            ("general.architecture".to_owned(), Value::String(family.to_owned())),
            ("tokenizer.ggml.model".to_owned(), Value::String("gpt2".to_owned())),
            ("tokenizer.ggml.pre".to_owned(), Value::String("qwen2".to_owned())),
            (
                "tokenizer.ggml.tokens".to_owned(),
                Value::Array(tokens.iter().cloned().map(Value::String).collect()),
            ),
            ("tokenizer.ggml.token_type".to_owned(), Value::Array(kinds.collect())),
            ("tokenizer.ggml.merges".to_owned(), Value::Array(Vec::new())),
            ("tokenizer.ggml.eos_token_id".to_owned(), Value::U32(2)),
        ];
        for (key, value) in [
            ("block_count", Value::U32(number("num_hidden_layers"))),
            ("context_length", Value::U32(number("max_position_embeddings"))),
            ("embedding_length", Value::U32(width)),
            ("feed_forward_length", Value::U32(number("intermediate_size"))),
            ("attention.head_count", Value::U32(heads)),
            ("attention.head_count_kv", Value::U32(number("num_key_value_heads"))),
            ("attention.key_length", Value::U32(head)),
            ("attention.layer_norm_rms_epsilon", Value::F32(config["rms_norm_eps"].as_f64().unwrap() as f32)),
            ("rope.freq_base", Value::F32(theta as f32)),
        ] {
            metadata.push((format!("{family}.{key}"), value));
        }
        for (key, field) in [
            ("attn_logit_softcapping", "attn_logit_softcapping"),
            ("final_logit_softcapping", "final_logit_softcapping"),
            ("attention.sliding_window", "sliding_window"),
            ("rope.scaling.original_context_length", "original_max_position_embeddings"),
        ] {
            if let Some(value) = config[field].as_f64() {
                metadata.push((format!("{family}.{key}"), Value::F32(value as f32)));
            }
        }
        let stored = |(name, tensor): (&String, &Tensor)| {
            let (path, kind) = name.rsplit_once('.').unwrap();
            let (from, to) = NAMES.iter().find(|(from, _)| path.ends_with(from)).unwrap();
            let to = if is_gemma && *to == "ffn_norm" && path.contains(".post_") {
                &"post_attention_norm"
            } else {
                to
            };
            let layer = path.strip_suffix(from).unwrap().trim_matches('.').strip_prefix("model.layers.");
            let stored =
                layer.map_or_else(|| format!("{to}.{kind}"), |layer| format!("blk.{layer}.{to}.{kind}"));
            let groups = match *to {
                "attn_q" => heads,
                _ => number("num_key_value_heads"),
            };
            let tensor = match family == "llama" && ["attn_q", "attn_k"].contains(to) {
                true => in_pairs(tensor, groups as usize),
                false if is_gemma && to.ends_with("norm") => (tensor + 1.0).unwrap(),
                false => tensor.clone(),
            };
            let whole = tensor.dims().len() == 2 && tensor.dims()[1].is_multiple_of(dtype.block_size());
            (stored, QTensor::quantize(&tensor, if whole { dtype } else { GgmlDType::F32 }).unwrap())
        };
        let mut tensors: Vec<(String, QTensor)> = tensors.iter().map(stored).collect();
        if let Some(factors) = config["rope_scaling"]["short_factor"].as_array() {
            let factors: Vec<f32> = factors.iter().map(|factor| factor.as_f64().unwrap() as f32).collect();
            let factors = Tensor::new(factors, &Device::Cpu).unwrap();
            let factors = QTensor::quantize(&factors, GgmlDType::F32).unwrap();
            tensors.push(("rope_factors_short.weight".to_owned(), factors));
        }
        Self { metadata, tensors }
    }

    fn set(&mut self, key: &str, value: Value) {
        self.metadata.retain(|(known, _)| known != key);
        self.metadata.push((key.to_owned(), value));
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("tiny.gguf");
        let metadata: Vec<(&str, &Value)> = self.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let tensors: Vec<(&str, &QTensor)> = self.tensors.iter().map(|(n, t)| (n.as_str(), t)).collect();
        gguf_file::write(&mut File::create(&path).unwrap(), &metadata, &tensors).unwrap();
        path
    }

    fn open(&self) -> Result<LanguageGenerator, LoadError> {
        let folder = Folder::new();
        LanguageGenerator::open(&self.write(folder.path()))
    }
}

/// Puts rows (i) and (i + head/2) of each head side by side.
fn in_pairs(tensor: &Tensor, heads: usize) -> Tensor {
    let dims = tensor.dims().to_vec();
    let apart = tensor.reshape((heads, 2, dims[0] / heads / 2, ())).unwrap();
    apart.transpose(1, 2).unwrap().contiguous().unwrap().reshape(dims).unwrap()
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn golden_from_one_file(model: &str) {
    let Some(golden) = golden::read::<serde_json::Value>(&format!("golden_{model}.json")) else { return };
    let folder = golden::folder().unwrap().join(model);
    let config: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("config.json")).unwrap()).unwrap();
    let (tensors, prompts) = (tensors(model), prompts(&golden));
    let asked = golden["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (prompts[item["question"].as_u64().unwrap() as usize].clone(), ids(&item["target"])));
    compare_files(model, &config, &tensors, &asked.collect::<Vec<_>>());
}

/// Compares a model from files of F32 and Q8_0 with the one of the published weights, on prompts
/// with their answers.
pub(crate) fn compare_files(
    model: &str,
    config: &serde_json::Value,
    tensors: &HashMap<String, Tensor>,
    asked: &[(Vec<Vec<TokenId>>, Vec<TokenId>)],
) {
    let tokens: Vec<String> = (0..config["vocab_size"].as_u64().unwrap()).map(|i| format!("t{i}")).collect();
    let published = LanguageModel::load(model, &config.to_string(), None, tensors).unwrap();
    let exact = Parts::of(config, tensors, &tokens, GgmlDType::F32).open().unwrap();
    let eighths = Parts::of(config, tensors, &tokens, GgmlDType::Q8_0).open().unwrap();
    assert_eq!(exact.model().window(), published.window());
    // The same rounded weights, multiplied as f32: the only difference left is the rounding of
    // activations.
    let rounded: HashMap<String, Tensor> = tensors
        .iter()
        .map(|(name, tensor)| {
            let whole = tensor.dims().len() == 2 && tensor.dims()[1].is_multiple_of(32);
            let dtype = if whole { GgmlDType::Q8_0 } else { GgmlDType::F32 };
            (name.clone(), QTensor::quantize(tensor, dtype).unwrap().dequantize(&Device::Cpu).unwrap())
        })
        .collect();
    let rounded = LanguageModel::load(model, &config.to_string(), None, &rounded).unwrap();
    let (mut by_file, mut squares, mut total) = (0f32, 0f64, 0f64);
    for (prompts, target) in asked {
        let expected = published.logits(prompts, target).unwrap();
        by_file = by_file.max(worst(&exact.model().logits(prompts, target).unwrap(), &expected));
        let expected = rounded.logits(prompts, target).unwrap();
        for (got, expected) in eighths.model().logits(prompts, target).unwrap().iter().zip(&expected) {
            squares += f64::from(got - expected).powi(2);
            total += f64::from(*expected).powi(2);
        }
    }
    let by_rounding = (squares / total).sqrt();
    eprintln!("{model} gguf: largest error {by_file:.1e} in F32, relative error {by_rounding:.1e} in Q8_0");
    assert!(by_file <= 2e-4 && by_rounding <= Q8_ERROR);
}

#[test]
fn golden_llama_from_a_gguf_file_gives_the_logits_of_the_published_weights() {
    golden_from_one_file("llama");
}

#[test]
fn golden_qwen2_from_a_gguf_file_gives_the_logits_of_the_published_weights() {
    golden_from_one_file("qwen2");
}

#[test]
fn golden_qwen3_from_a_gguf_file_gives_the_logits_of_the_published_weights() {
    golden_from_one_file("qwen3");
}

fn tiny() -> Parts {
    let mut parts = Parts::of(&llama_config(900), &llama_tensors(), &vocabulary(), GgmlDType::F32);
    parts.set("tokenizer.chat_template", Value::String(CHATML.to_owned()));
    parts.set("tokenizer.ggml.bos_token_id", Value::U32(control("<s>")));
    parts.set("tokenizer.ggml.eos_token_id", Value::U32(control("</s>")));
    parts
}

#[test]
fn one_file_gives_prompt_ends_and_text_as_the_folder_does() {
    let folder = Folder::llama(900, Some(CHATML));
    let (from_folder, from_file) = (LanguageGenerator::open(folder.path()).unwrap(), tiny().open().unwrap());
    let given = [Passage { title: "Leave", text: "Twenty days <|im_end|> größer." }, Passage::untitled("")];
    let prompts = from_folder.prompts("How many?", &given).unwrap();
    assert_eq!(from_file.prompts("How many?", &given).unwrap(), prompts);
    let logits = |generator: &LanguageGenerator| generator.model().logits(&prompts.0, &[65, 66]).unwrap();
    assert!(worst(&logits(&from_folder), &logits(&from_file)) < 1e-5);
    let decoding = from_file.start("q", &given).unwrap();
    assert!(
        decoding.is_end(control("</s>")) && decoding.is_end(control("<|im_end|>")) && !decoding.is_end(65)
    );
    assert_eq!(decoding.text(&[65, 66, control("</s>")]), "AB");
    assert_eq!(from_file.name(), "tiny");
}

#[test]
fn stored_rotary_factors_divide_the_frequencies() {
    let mut parts = tiny();
    let factors =
        QTensor::quantize(&Tensor::new(&[1f32, 4.0], &Device::Cpu).unwrap(), GgmlDType::F32).unwrap();
    parts.tensors.push(("rope_freqs.weight".to_owned(), factors));
    let mut config = llama_config(900);
    config["rope_scaling"] = serde_json::json!({"rope_type": "factors", "factors": [1.0, 4.0]});
    let expected = LanguageModel::load("tiny", &config.to_string(), None, &llama_tensors()).unwrap();
    let plain = LanguageModel::load("tiny", &llama_config(900).to_string(), None, &llama_tensors()).unwrap();
    let prompt: Vec<u32> = (0..40).collect();
    let logits = |model: &LanguageModel| model.logits(std::slice::from_ref(&prompt), &[65]).unwrap();
    let found = logits(parts.open().unwrap().model());
    let (same, other) = (worst(&found, &logits(&expected)), worst(&found, &logits(&plain)));
    assert!(same < 1e-5 && other > 1e-4, "{same} {other}");
}

#[test]
fn a_file_whose_parts_do_not_belong_together_is_refused() {
    let refused = |change: &dyn Fn(&mut Parts)| {
        let mut parts = tiny();
        change(&mut parts);
        parts.open().err().unwrap()
    };
    let without = |key: &'static str| refused(&|parts| parts.metadata.retain(|(known, _)| known != key));
    for key in ["tokenizer.ggml.model", "tokenizer.ggml.tokens"] {
        assert!(matches!(without(key), LoadError::Checkpoint(_)), "{key}");
    }
    for key in ["general.architecture", "llama.block_count", "llama.attention.head_count"] {
        assert!(matches!(without(key), LoadError::Config { .. }), "{key}");
    }
    let error = refused(&|parts| {
        let fewer = vocabulary()[..260].iter().cloned().map(Value::String).collect();
        parts.set("tokenizer.ggml.tokens", Value::Array(fewer));
        parts.metadata.retain(|(known, _)| known != "tokenizer.ggml.token_type");
    });
    assert!(matches!(error, LoadError::Vocabulary { tokenizer: 260, model: 261 }), "{error}");
    let error = refused(&|parts| parts.set("general.architecture", Value::String("mamba".to_owned())));
    assert!(matches!(&error, LoadError::Unsupported { value, .. } if value == "mamba"), "{error}");
    let error = refused(&|parts| parts.set("llama.expert_count", Value::U32(8)));
    assert!(matches!(error, LoadError::Unsupported { .. }), "{error}");
    let error = refused(&|parts| parts.set("llama.block_count", Value::U32(u32::MAX)));
    assert!(matches!(error, LoadError::MissingTensor { .. }), "{error}");
    for (heads, groups) in [(0, 2), (4, 0), (3, 2), (u32::MAX, 1)] {
        let error = refused(&|parts| {
            parts.set("llama.attention.head_count", Value::U32(heads));
            parts.set("llama.attention.head_count_kv", Value::U32(groups));
        });
        assert!(
            matches!(
                error,
                LoadError::Config { .. } | LoadError::Tensor { .. } | LoadError::TensorShape { .. }
            ),
            "{error}"
        );
    }
    let error = refused(&|parts| parts.set("llama.rope.dimension_count", Value::U32(2)));
    assert!(matches!(error, LoadError::Unsupported { .. }), "{error}");
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let folder = Folder::new();
    let path = tiny().write(folder.path());
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(whole.len() / 40) {
        let cut = folder.write("cut.gguf", &whole[..length]);
        assert!(matches!(LanguageGenerator::open(&cut), Err(LoadError::Checkpoint(_))), "{length}");
    }
    assert!(LanguageGenerator::open(&folder.path().join("absent.gguf")).is_err());
}

#[test]
fn no_changed_byte_of_a_header_makes_opening_or_reading_panic() {
    let folder = Folder::new();
    let whole = std::fs::read(tiny().write(folder.path())).unwrap();
    // The part between the vocabulary and the weights has a few kilobytes; odd strides reach every
    // byte of a number.
    for (i, at) in (0..whole.len().min(24_000)).step_by(241).enumerate() {
        let mut bytes = whole.clone();
        bytes[at] = [0xff, 0x00, 0x80, bytes[at] ^ 1][i % 4];
        let path = folder.write("changed.gguf", bytes);
        if let Ok(generator) = LanguageGenerator::open(&path)
            && let Ok(mut decoding) = generator.start("q", &[Passage::untitled("p")])
        {
            let _ = decoding.log_probs();
        }
    }
}

#[test]
fn half_precision_files_are_read_as_f32() {
    let exact = tiny().open().unwrap();
    for dtype in [GgmlDType::BF16, GgmlDType::F16] {
        let half = Parts::of(&llama_config(900), &llama_tensors(), &vocabulary(), dtype).open().unwrap();
        let logits = |g: &LanguageGenerator| g.model().logits(&[vec![1, 2, 3]], &[65]).unwrap();
        assert!(worst(&logits(&exact), &logits(&half)) < 1e-5, "{dtype:?}");
    }
    assert_eq!(llama_tensors()["model.norm.weight"].dtype(), DType::F32);
}
