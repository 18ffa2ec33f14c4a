//! Refusals of a language model: checkpoints that do not fit, prompts that cannot be read, values
//! that are not numbers.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use postil_contract::GenerateError;
use postil_generator::{LanguageModel, LoadError};

const CONFIG: &str = r#"{"model_type": "llama", "vocab_size": 5, "hidden_size": 4, "intermediate_size": 6,
    "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-5,
    "max_position_embeddings": 8, "eos_token_id": [1, 2]}"#;

/// A Llama of one layer that matches `CONFIG`.
fn tensors() -> HashMap<String, Tensor> {
    let shapes: [(&str, &[usize]); 11] = [
        ("embed_tokens", &[5, 4]),
        ("norm", &[4]),
        ("layers.0.input_layernorm", &[4]),
        ("layers.0.post_attention_layernorm", &[4]),
        ("layers.0.self_attn.q_proj", &[4, 4]),
        ("layers.0.self_attn.k_proj", &[2, 4]),
        ("layers.0.self_attn.v_proj", &[2, 4]),
        ("layers.0.self_attn.o_proj", &[4, 4]),
        ("layers.0.mlp.gate_proj", &[6, 4]),
        ("layers.0.mlp.up_proj", &[6, 4]),
        ("layers.0.mlp.down_proj", &[4, 6]),
    ];
    let tensor = |shape: &[usize]| {
        let values =
            (0..shape.iter().product()).map(|i: usize| ((i * 7 + 3) % 11) as f32 / 11.0 - 0.4).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    };
    shapes.into_iter().map(|(name, shape)| (format!("model.{name}.weight"), tensor(shape))).collect()
}

fn model() -> LanguageModel {
    LanguageModel::load("tiny", CONFIG, None, &tensors()).unwrap()
}

fn refusal(config: &str, tensors: &HashMap<String, Tensor>) -> LoadError {
    LanguageModel::load("tiny", config, None, tensors).err().unwrap()
}

#[test]
fn a_missing_or_misshapen_tensor_is_named() {
    let name = "model.layers.0.mlp.up_proj.weight";
    let mut missing = tensors();
    missing.remove(name);
    assert!(matches!(refusal(CONFIG, &missing), LoadError::MissingTensor { name: got } if got == name));
    let wider = CONFIG.replace("\"intermediate_size\": 6", "\"intermediate_size\": 7");
    let error = refusal(&wider, &tensors());
    assert!(matches!(&error, LoadError::TensorShape { expected, .. } if *expected == [7, 4]), "{error}");
    for (family, first) in [("bart", "model.shared.weight"), ("t5", "shared.weight")] {
        let error = refusal(&CONFIG.replace("llama", family), &tensors());
        assert!(matches!(&error, LoadError::MissingTensor { name } if name == first), "{family}: {error}");
    }
    // Absent sizes default to the published ones, which these tensors do not have.
    let error = refusal("{\"model_type\": \"llama\"}", &tensors());
    assert!(
        matches!(&error, LoadError::TensorShape { expected, .. } if *expected == [32_000, 4_096]),
        "{error}"
    );
}

#[test]
fn what_there_is_no_code_for_is_named() {
    for (from, to, named) in [
        ("llama", "mamba", "mamba"),
        ("\"vocab_size\"", "\"hidden_act\": \"mish\", \"vocab_size\"", "mish"),
        ("\"vocab_size\"", "\"quantization_config\": {\"quant_method\": \"awq\"}, \"vocab_size\"", "awq"),
        ("\"vocab_size\"", "\"partial_rotary_factor\": 0.5, \"vocab_size\"", "0.5"),
        ("\"vocab_size\"", "\"use_sliding_window\": true, \"vocab_size\"", "true"),
        ("\"vocab_size\"", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4.0}, \"vocab_size\"", "yarn"),
        ("\"vocab_size\"", "\"layer_types\": [\"sliding_attention\"], \"vocab_size\"", "sliding_attention"),
    ] {
        let error = refusal(&CONFIG.replace(from, to), &tensors());
        assert!(matches!(&error, LoadError::Unsupported { value, .. } if value == named), "{error}");
    }
    for broken in ["", "{", "[]", "{\"model_type\": 1}", "{\"model_type\": null}"] {
        assert!(matches!(refusal(broken, &tensors()), LoadError::Config { .. }), "{broken}");
    }
    for (heads, groups) in [(0, 1), (2, 0), (3, 2), (4, 4)] {
        let heads = format!("\"num_attention_heads\": {heads}, \"num_key_value_heads\": {groups}");
        let odd = CONFIG.replace("\"num_attention_heads\": 2, \"num_key_value_heads\": 1", &heads);
        assert!(matches!(refusal(&odd, &tensors()), LoadError::Config { .. }), "{heads}");
    }
}

#[test]
fn prompts_that_cannot_be_read_are_refused() {
    let model = model();
    let refused = |prompts: &[Vec<u32>]| model.start(prompts).err().unwrap();
    assert!(matches!(refused(&[]), GenerateError::NoPassages));
    assert!(matches!(refused(&[vec![3], vec![]]), GenerateError::Shape { got: 0, .. }));
    assert!(matches!(refused(&[vec![3, 5]]), GenerateError::Shape { got: 5, expected: 5, .. }));
    let long = refused(&[vec![3], vec![4; 9]]);
    assert!(matches!(long, GenerateError::TooLong { passage: 1, got_tokens: 9, max_tokens: 8 }), "{long}");
}

#[test]
fn an_answer_longer_than_the_window_ends_in_an_error_and_not_in_nonsense() {
    let model = model();
    let mut decoding = model.start(&[vec![3], vec![3, 4, 3, 4, 3, 4]]).unwrap();
    for _ in 0..2 {
        decoding.advance(&[0], &[3]).unwrap();
    }
    decoding.log_probs().unwrap();
    decoding.advance(&[0], &[3]).unwrap();
    assert!(matches!(decoding.log_probs(), Err(GenerateError::TooLong { passage: 1, max_tokens: 8, .. })));
    assert!(matches!(decoding.score(&[vec![3; 5]]), Err(GenerateError::TooLong { .. })));
    assert!(decoding.score(&[vec![3; 3]]).is_ok());
}

#[test]
fn a_model_that_yields_no_numbers_is_found_out() {
    let mut broken = tensors();
    let poison = Tensor::full(f32::NAN, (4, 6), &Device::Cpu).unwrap();
    broken.insert("model.layers.0.mlp.down_proj.weight".to_owned(), poison);
    let model = LanguageModel::load("tiny", CONFIG, None, &broken).unwrap();
    let mut decoding = model.start(&[vec![3]]).unwrap();
    assert!(matches!(decoding.log_probs(), Err(GenerateError::NotFinite { .. })));
    assert!(matches!(decoding.score(&[vec![1]]), Err(GenerateError::NotFinite { .. })));
}

#[test]
fn a_prompt_of_one_token_beside_longer_ones_reads_as_it_does_alone() {
    let model = model();
    let alone = model.logits(&[vec![3]], &[4, 0]).unwrap();
    let beside = model.logits(&[vec![3], vec![4, 3, 0]], &[4, 0]).unwrap();
    assert!(alone.iter().zip(&beside).all(|(a, b)| (a - b).abs() < 1e-5), "{alone:?} {beside:?}");
}

#[test]
fn several_end_tokens_all_end_and_settings_of_generation_go_first() {
    let generation = r#"{"eos_token_id": 4, "forced_bos_token_id": 3, "forced_eos_token_id": null}"#;
    let both = LanguageModel::load("tiny", CONFIG, Some(generation), &tensors()).unwrap();
    assert_eq!((both.generation().ends.as_slice(), both.generation().forced_first), (&[4][..], Some(3)));
    let model = model();
    let decoding = model.start(&[vec![3]]).unwrap();
    let ends: Vec<u32> = (0..5).filter(|token| decoding.is_end(*token)).collect();
    assert_eq!(ends, [1, 2]);
}

#[test]
fn nulls_and_fields_left_out_mean_what_they_do_to_transformers() {
    let logits = |config: &str| {
        let model =
            LanguageModel::load("tiny", config, Some("{\"eos_token_id\": null}"), &tensors()).unwrap();
        (model.logits(&[vec![3, 4, 1]], &[3, 4]).unwrap(), model.generation().ends.clone())
    };
    let bare = CONFIG.replace(", \"eos_token_id\": [1, 2]", "");
    let stated = bare.replace(
        "\"vocab_size\"",
        "\"hidden_act\": \"silu\", \"rope_theta\": 10000.0, \"eos_token_id\": [2], \"vocab_size\"",
    );
    let nulls = bare.replace(
        "\"vocab_size\"",
        "\"hidden_act\": null, \"rope_theta\": null, \"rope_scaling\": null, \"rope_parameters\": null, \
         \"head_dim\": null, \"sliding_window\": null, \"use_sliding_window\": null, \"layer_types\": null, \
         \"quantization_config\": null, \"tie_word_embeddings\": null, \"vocab_size\"",
    );
    let newer = bare.replace(
        "\"vocab_size\"",
        "\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": null, \"factor\": null}, \
         \"vocab_size\"",
    );
    assert_eq!(logits(&nulls), logits(&stated));
    assert_eq!(logits(&newer), logits(&stated));
    assert_eq!(logits(&newer).1, [2]);
    let none = nulls.replace("\"vocab_size\"", "\"eos_token_id\": null, \"vocab_size\"");
    assert!(logits(&none).1.is_empty());
}

#[test]
fn a_field_that_is_none_of_its_kind_is_named() {
    for (field, value) in [("vocab_size", "\"big\""), ("rope_theta", "true"), ("num_hidden_layers", "-1")] {
        let config = match CONFIG.contains(field) {
            true => CONFIG.replace(&format!("\"{field}\""), &format!("\"{field}\": {value}, \"was\"")),
            false => CONFIG.replace("\"vocab_size\"", &format!("\"{field}\": {value}, \"vocab_size\"")),
        };
        let error = refusal(&config, &tensors());
        let said =
            matches!(&error, LoadError::Config { reason } if reason.starts_with(&format!("{field}: ")));
        assert!(said, "{field}: {error}");
    }
}
