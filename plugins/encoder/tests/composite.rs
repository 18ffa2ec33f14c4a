//! The question encoder inside a RAG checkpoint, as published: its part of the configuration, its
//! names in the weights, and its tokenizer in a separate folder.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use postil_contract::{Encoder, Similarity};
use postil_encoder::{BertEncoder, EncoderError};
use serde_json::{Value, json};

const PIECES: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhow\nmany\ndays\n?\n";

fn part() -> Value {
    json!({"model_type": "dpr", "vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 6, "max_position_embeddings": 16, "projection_dim": 0})
}

/// A question encoder whose tensors are named with `prefix`.
fn weights(prefix: &str) -> HashMap<String, Tensor> {
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![8, 4]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![16, 4]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, 4]),
    ];
    let layer = "encoder.layer.0.";
    for (name, output, input) in [
        ("attention.self.query", 4, 4),
        ("attention.self.key", 4, 4),
        ("attention.self.value", 4, 4),
        ("attention.output.dense", 4, 4),
        ("intermediate.dense", 6, 4),
        ("output.dense", 4, 6),
    ] {
        shapes.push((format!("{layer}{name}.weight"), vec![output, input]));
        shapes.push((format!("{layer}{name}.bias"), vec![output]));
    }
    for name in [
        "embeddings.LayerNorm",
        "encoder.layer.0.attention.output.LayerNorm",
        "encoder.layer.0.output.LayerNorm",
    ] {
        shapes.extend(["weight", "bias"].map(|kind| (format!("{name}.{kind}"), vec![4])));
    }
    let tensor = |(seed, (name, shape)): (usize, (String, Vec<usize>))| {
        let values =
            (0..shape.iter().product()).map(|i: usize| ((i * 7 + seed * 13) % 11) as f32 / 11.0 - 0.4);
        (format!("{prefix}{name}"), Tensor::from_iter(values, &Device::Cpu).unwrap().reshape(shape).unwrap())
    };
    shapes.into_iter().enumerate().map(tensor).collect()
}

fn write(folder: &Path, config: &Value, prefix: &str, tokenizer: &str) {
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    candle_core::safetensors::save(&weights(prefix), folder.join("model.safetensors")).unwrap();
    std::fs::create_dir_all(folder.join(tokenizer)).unwrap();
    std::fs::write(folder.join(tokenizer).join("vocab.txt"), PIECES).unwrap();
}

#[test]
fn a_rag_checkpoint_opens_as_the_question_encoder_it_was_made_of() {
    let (rag, alone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config =
        json!({"model_type": "rag", "question_encoder": part(), "generator": {"model_type": "bart"}});
    let prefix = "rag.question_encoder.question_encoder.bert_model.";
    write(rag.path(), &config, prefix, "question_encoder_tokenizer");
    let limit = r#"{"model_max_length": 12}"#;
    std::fs::write(rag.path().join("question_encoder_tokenizer/tokenizer_config.json"), limit).unwrap();
    write(alone.path(), &part(), "question_encoder.bert_model.", "");
    let (rag, alone) = (BertEncoder::open(rag.path()).unwrap(), BertEncoder::open(alone.path()).unwrap());
    let questions = ["How many days?", "zebra"];
    assert_eq!(rag.encode_questions(&questions).unwrap(), alone.encode_questions(&questions).unwrap());
    assert_eq!((rag.profile().dimension, rag.profile().max_tokens), (4, 12));
    assert_eq!(rag.similarity(), Similarity::Dot);
    assert_eq!(rag.profile().score_scale, 1.0);
}

#[test]
fn a_composite_without_a_question_encoder_that_is_known_is_refused_by_name() {
    for config in [
        json!({"model_type": "rag", "question_encoder": {"model_type": "t5"}}),
        json!({"model_type": "rag"}),
        json!({"model_type": "gpt2"}),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let error = BertEncoder::open(folder.path()).err().unwrap();
        assert!(matches!(error, EncoderError::Unsupported { field: "model_type", .. }), "{config}: {error}");
    }
}
