//! Model folders as published: other tensor names, nulls, missing fields, and the features that are
//! refused by name.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use postil_contract::Encoder;
use postil_encoder::BertEncoder;
use serde_json::{Value, json};

const PIECES: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\napples\nare\nred\nbananas\nyellow\n.\n";

type Tensors = HashMap<String, Tensor>;

fn config() -> Value {
    json!({
        "model_type": "bert", "architectures": ["BertModel"], "vocab_size": 10, "hidden_size": 8,
        "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
        "max_position_embeddings": 32, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
        "position_embedding_type": "absolute",
    })
}

fn tensors() -> Tensors {
    let mut tensors = HashMap::new();
    let mut put = |name: &str, shape: &[usize]| {
        let count = shape.iter().product();
        let values = (0..count).map(|i: usize| ((i * 7 + name.len()) % 11) as f32 / 11.0 - 0.4).collect();
        tensors.insert(name.to_owned(), Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu).unwrap());
    };
    for (name, rows) in [("word", 10), ("position", 32), ("token_type", 2)] {
        put(&format!("embeddings.{name}_embeddings.weight"), &[rows, 8]);
    }
    for (name, outputs, inputs) in [
        ("attention.self.query", 8, 8),
        ("attention.self.key", 8, 8),
        ("attention.self.value", 8, 8),
        ("attention.output.dense", 8, 8),
        ("intermediate.dense", 16, 8),
        ("output.dense", 8, 16),
    ] {
        put(&format!("encoder.layer.0.{name}.weight"), &[outputs, inputs]);
        put(&format!("encoder.layer.0.{name}.bias"), &[outputs]);
    }
    for name in ["embeddings.", "encoder.layer.0.attention.output.", "encoder.layer.0.output."] {
        put(&format!("{name}LayerNorm.weight"), &[8]);
        put(&format!("{name}LayerNorm.bias"), &[8]);
    }
    tensors
}

fn renamed(name: impl Fn(&str) -> String) -> Tensors {
    tensors().into_iter().map(|(old, tensor)| (name(&old), tensor)).collect()
}

/// A folder with `files` added to or replacing the usual ones.
fn folder(config: &Value, tensors: &Tensors, files: &[(&str, Value)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    candle_core::safetensors::save(tensors, home.path().join("model.safetensors")).unwrap();
    std::fs::write(home.path().join("vocab.txt"), PIECES).unwrap();
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    for (name, content) in files {
        std::fs::create_dir_all(home.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(home.path().join(name), content.to_string()).unwrap();
    }
    home
}

fn vectors(folder: &Path) -> Vec<f32> {
    let found = BertEncoder::open(folder).unwrap().encode_questions(&["Apples are red.", "bananas"]).unwrap();
    found.rows().flatten().copied().collect()
}

fn with(fields: &Value) -> Value {
    let mut whole = config();
    whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    whole
}

#[test]
fn a_bert_has_the_same_vectors_under_any_of_its_published_names() {
    let expected = vectors(folder(&config(), &tensors(), &[]).path());
    let old = |name: &str| {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    };
    for prefix in ["", "bert.", "model.", "0.auto_model.", "module.", "module.bert.", "encoder_q.model."] {
        let plain = folder(&config(), &renamed(|name| format!("{prefix}{name}")), &[]);
        assert_eq!(vectors(plain.path()), expected, "{prefix}");
        let older = folder(&config(), &renamed(|name| format!("{prefix}{}", old(name))), &[]);
        assert_eq!(vectors(older.path()), expected, "{prefix}, gamma and beta");
    }
    let mut lacking = tensors();
    lacking.remove("embeddings.LayerNorm.bias");
    let error = BertEncoder::open(folder(&config(), &lacking, &[]).path()).err().unwrap().to_string();
    assert!(error.contains("embeddings.LayerNorm.bias"), "{error}");
}

#[test]
fn nulls_and_fields_left_out_mean_the_published_defaults() {
    let expected = vectors(folder(&config(), &tensors(), &[]).path());
    for field in ["type_vocab_size", "layer_norm_eps", "hidden_act", "position_embedding_type", "model_type"]
    {
        let null = folder(&with(&json!({ field: null })), &tensors(), &[]);
        assert_eq!(vectors(null.path()), expected, "{field} null");
        let mut less = config();
        less.as_object_mut().unwrap().remove(field);
        assert_eq!(vectors(folder(&less, &tensors(), &[]).path()), expected, "no {field}");
    }
    let unused = json!({
        "is_decoder": false, "add_cross_attention": null, "quantization_config": null, "pruned_heads": {},
        "classifier_dropout": null, "torch_dtype": null, "projection_dim": null, "hidden_act": "gelu_python",
    });
    assert_eq!(vectors(folder(&with(&unused), &tensors(), &[]).path()), expected);
    let nulls = [
        (
            "modules.json",
            json!([
                {"idx": 0, "name": "0", "path": null, "type": "sentence_transformers.models.Transformer"},
                {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            ]),
        ),
        ("1_Pooling/config.json", json!({"pooling_mode_mean_tokens": true, "pooling_mode_lasttoken": null})),
        ("sentence_bert_config.json", json!({"max_seq_length": null, "do_lower_case": null})),
        (
            "config_sentence_transformers.json",
            json!({
                "prompts": {"query": null}, "default_prompt_name": null, "similarity_fn_name": null,
            }),
        ),
        (
            "tokenizer_config.json",
            json!({"do_lower_case": null, "model_max_length": null, "cls_token": null}),
        ),
    ];
    assert_eq!(vectors(folder(&config(), &tensors(), &nulls).path()), expected);
}

#[test]
fn what_is_not_computed_is_refused_with_its_field_its_value_and_its_file() {
    let refused = |config: &Value, files: &[(&str, Value)]| {
        let home = folder(config, &tensors(), files);
        BertEncoder::open(home.path()).err().unwrap().to_string()
    };
    for (fields, said) in [
        (json!({"hidden_act": "relu"}), "hidden_act is relu"),
        (json!({"position_embedding_type": "relative_key"}), "position_embedding_type is relative_key"),
        (json!({"is_decoder": true}), "is_decoder is true"),
        (json!({"add_cross_attention": true}), "add_cross_attention is true"),
        (json!({"pruned_heads": {"0": [1]}}), "pruned_heads is {\"0\":[1]}"),
        (json!({"quantization_config": {"quant_method": "gptq", "bits": 4}}), "quantization_config is gptq"),
        (json!({"model_type": "roberta"}), "model_type is roberta"),
        (json!({"model_type": null, "architectures": null}), "model_type is not there"),
        (json!({"hidden_size": "768"}), "hidden_size: invalid type: string"),
        (json!({"num_attention_heads": 3}), "hidden_size 8 does not divide into 3 attention heads"),
    ] {
        let error = refused(&with(&fields), &[]);
        assert!(error.contains("config.json: ") && error.contains(said), "{fields}: {error}");
    }
    let module = |kind: &str, path: &str| json!({"path": path, "type": format!("sentence_transformers.models.{kind}")});
    let (first, pooling) = (module("Transformer", ""), module("Pooling", "1_Pooling"));
    let mean = ("1_Pooling/config.json", json!({"pooling_mode_mean_tokens": true}));
    for (modules, said) in [
        (json!([first, pooling, module("Dense", "2_Dense")]), "type is sentence_transformers.models.Dense"),
        (json!([first, pooling, pooling]), "Pooling once more"),
        (json!([module("Transformer", "0_Transformer"), pooling]), "path of Transformer is 0_Transformer"),
        (json!([first, {"path": "", "type": 7}]), "[1].type: invalid type"),
    ] {
        let error = refused(&config(), &[("modules.json", modules), mean.clone()]);
        assert!(error.contains("modules.json: ") && error.contains(said), "{error}");
    }
    let measure = ("config_sentence_transformers.json", json!({"similarity_fn_name": "manhattan"}));
    let error = refused(&config(), &[measure]);
    assert!(error.contains("config_sentence_transformers.json: similarity_fn_name is manhattan"), "{error}");
    let bytes = tensors()
        .into_iter()
        .map(|(name, tensor)| (name, tensor.abs().unwrap().to_dtype(DType::U8).unwrap()));
    let error = BertEncoder::open(folder(&config(), &bytes.collect(), &[]).path()).err().unwrap().to_string();
    assert!(error.contains("is stored as U8"), "{error}");
}
