//! Every family of decoder-only models against logits of transformers, from folders and from GGUF
//! files.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor};
use postil_contract::TokenId;
use postil_generator::LanguageModel;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::gguf::compare_files;

/// Largest difference of a logit from the reference, which was computed in f64.
const LOGITS: f64 = 1e-4;
/// As in `families.py`.
const SPREAD: f64 = 1.0;

/// Reference values, made by `tests/fixtures/families.py`.
#[derive(Deserialize)]
struct Reference {
    prompts: Vec<Vec<TokenId>>,
    answer: Vec<TokenId>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    case: String,
    /// With every field.
    config: Value,
    /// Without the fields whose values are defaults.
    short_config: Value,
    shapes: BTreeMap<String, Vec<usize>>,
    /// `[prompts, answer + 1, vocabulary]`.
    logits: Vec<Vec<Vec<f64>>>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../fixtures/families.json")).unwrap()
}

impl Case {
    fn tensors(&self) -> HashMap<String, Tensor> {
        self.shapes.iter().map(|(name, shape)| (name.clone(), weight(name, shape))).collect()
    }
}

/// The weight called `name`: see `families.py`.
fn weight(name: &str, shape: &[usize]) -> Tensor {
    let seed = u64::from(crc32(name.as_bytes())) << 20;
    let offset = if name.contains("norm") { 1.0 } else { 0.0 };
    let value = |i: u64| {
        let mut state = (seed + i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^= state >> 31;
        (((state >> 44) as f64 / f64::from(1 << 20) - 0.5) * SPREAD + offset) as f32
    };
    let values: Vec<f32> = (1..=shape.iter().product::<usize>() as u64).map(value).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(!0, step)
}

/// Largest difference of the logits from the reference: of one pass, and of decoding token by
/// token.
fn worst(model: &LanguageModel, reference: &Reference, case: &Case) -> f64 {
    let Reference { prompts, answer, .. } = reference;
    let expected: Vec<f64> = case.logits.iter().flatten().flatten().copied().collect();
    let found = model.logits(prompts, answer).unwrap();
    assert_eq!(found.len(), expected.len());
    let logits = found.iter().zip(&expected).map(|(got, expected)| (f64::from(*got) - expected).abs());
    let mut worst = logits.fold(0.0, f64::max);
    let mut decoding = model.start(prompts).unwrap();
    for (step, token) in answer.iter().enumerate() {
        let log_probs = decoding.log_probs().unwrap();
        for (line, expected) in log_probs.row(0).chunks_exact(model.vocabulary()).zip(&case.logits) {
            let sum = expected[step].iter().map(|logit| logit.exp()).sum::<f64>().ln();
            let each = line.iter().zip(&expected[step]);
            worst = each.map(|(got, logit)| (f64::from(*got) - (logit - sum)).abs()).fold(worst, f64::max);
        }
        decoding.advance(&[0], &[*token]).unwrap();
    }
    worst
}

#[test]
fn every_family_gives_the_logits_of_transformers() {
    let reference = reference();
    for case in &reference.cases {
        for config in [&case.config, &case.short_config] {
            let model = LanguageModel::load(&case.case, &config.to_string(), None, &case.tensors()).unwrap();
            let worst = worst(&model, &reference, case);
            eprintln!("{}: largest error {worst:.1e}", case.case);
            // A sliding window, or the length that rotary factors hold for, limits the positions.
            assert_eq!(model.window(), Some(if case.case == "phi3 longrope" { 48 } else { 40 }));
            assert!(worst <= LOGITS, "{}: {worst}", case.case);
        }
    }
}

#[test]
fn every_family_from_a_gguf_file_gives_the_logits_of_the_published_weights() {
    let Reference { prompts, answer, cases } = reference();
    for case in &cases {
        let mut config = case.config.clone();
        if config["model_type"].as_str().unwrap().starts_with("gemma") {
            // Files do not say these; their readers know them.
            config["query_pre_attn_scalar"] = config["head_dim"].clone();
            config["layer_types"] = Value::Null;
        }
        if config["model_type"] == "gemma3_text" {
            config["rope_local_base_freq"] = json!(10_000.0);
        }
        if config["model_type"] == "mistral" {
            // Stored as a Llama, whose files say nothing of a window.
            config["sliding_window"] = Value::Null;
        }
        compare_files(&case.case, &config, &case.tensors(), &[(prompts.clone(), answer.clone())]);
    }
}

#[test]
fn what_a_family_does_not_compute_is_refused_by_name() {
    let reference = reference();
    let case = |name: &str| reference.cases.iter().find(|case| case.case == name).unwrap();
    let refused = |name: &str, field: &str, value: Value| {
        let mut config = case(name).config.clone();
        config[field] = value;
        LanguageModel::load(name, &config.to_string(), None, &case(name).tensors()).err().unwrap().to_string()
    };
    let said = refused("gemma3_text", "use_bidirectional_attention", json!(true));
    assert!(said.contains("use_bidirectional_attention"), "{said}");
    let said = refused("phi3", "partial_rotary_factor", json!(0.75));
    assert!(said.contains("partial_rotary_factor"), "{said}");
    let said = refused("mistral", "layer_types", json!(["linear_attention"]));
    assert!(said.contains("linear_attention"), "{said}");
    let short = json!({"type": "longrope", "short_factor": [1.0], "long_factor": [1.0]});
    let said = refused("phi3 longrope", "rope_scaling", short);
    assert!(said.contains("1 factors for 4 frequencies"), "{said}");
    let said = refused("phi3 longrope", "original_max_position_embeddings", json!(0));
    assert!(said.contains("positions"), "{said}");
    // Too few rows for keys and values of their own.
    let said = refused("phi3", "num_key_value_heads", json!(4));
    assert!(said.contains("qkv_proj"), "{said}");
}
