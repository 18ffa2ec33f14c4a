//! The forward pass divided among threads, compared with the same pass on one.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use postil_checkpoint::ModelFolder;
use postil_encoder::{BertModel, Packed, Sequence};

const WORDS: usize = 60;

/// A model with random weights: heads of one panel each, feed-forward layers that end inside a
/// panel.
fn model() -> BertModel {
    let (hidden, inner, layers) = (96, 200, 3);
    let folder = tempfile::tempdir().unwrap();
    let config = serde_json::json!({
        "model_type": "bert", "vocab_size": WORDS, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": 6, "intermediate_size": inner, "hidden_act": "gelu",
        "max_position_embeddings": 130, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
    });
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let mut tensors = HashMap::new();
    let mut add = |name: String, shape: &[usize]| {
        tensors.insert(name, Tensor::randn(0f32, 0.3, shape, &Device::Cpu).unwrap());
    };
    add("embeddings.word_embeddings.weight".into(), &[WORDS, hidden]);
    add("embeddings.position_embeddings.weight".into(), &[130, hidden]);
    add("embeddings.token_type_embeddings.weight".into(), &[2, hidden]);
    let mut linear = |name: &str, outputs: usize, inputs: usize| {
        add(format!("{name}.weight"), &[outputs, inputs]);
        add(format!("{name}.bias"), &[outputs]);
    };
    for layer in 0..layers {
        let prefix = format!("encoder.layer.{layer}.");
        for part in ["query", "key", "value"] {
            linear(&format!("{prefix}attention.self.{part}"), hidden, hidden);
        }
        linear(&format!("{prefix}attention.output.dense"), hidden, hidden);
        linear(&format!("{prefix}intermediate.dense"), inner, hidden);
        linear(&format!("{prefix}output.dense"), hidden, inner);
    }
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..layers {
        norms.push(format!("encoder.layer.{layer}.attention.output.LayerNorm"));
        norms.push(format!("encoder.layer.{layer}.output.LayerNorm"));
    }
    for norm in norms {
        add(format!("{norm}.weight"), &[hidden]);
        add(format!("{norm}.bias"), &[hidden]);
    }
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    BertModel::open(&ModelFolder::open(folder.path()).unwrap()).unwrap()
}

#[test]
fn a_sequence_divided_among_threads_has_the_same_bits() {
    for model in [model(), model().with_int16_products()] {
        for lengths in [vec![1], vec![12], vec![130], vec![3, 90, 1], vec![120; 7], vec![]] {
            let ids: Vec<Vec<u32>> = lengths
                .iter()
                .map(|length| (0..*length).map(|at| ((at * 31 + length) % WORDS) as u32).collect())
                .collect();
            let sequences: Vec<Sequence<'_>> =
                ids.iter().map(|ids| Sequence { ids, type_ids: &[] }).collect();
            let alone: Vec<Vec<f32>> = ids
                .iter()
                .map(|ids| model.forward(Packed { ids, type_ids: &[], lengths: &[ids.len()] }).unwrap())
                .collect();
            for threads in [1, 2, 3, 4, 9] {
                let found = model.forward_many(&sequences, threads).unwrap();
                assert_eq!(found, alone, "{lengths:?} on {threads} threads");
            }
        }
    }
}

#[test]
fn what_one_thread_refuses_all_of_them_refuse() {
    let model = model();
    for threads in [1, 2, 4] {
        let unknown = [0, WORDS as u32];
        let error = model.forward_many(&[Sequence { ids: &unknown, type_ids: &[] }], threads).unwrap_err();
        assert!(error.to_string().contains("token id"), "{error}");
    }
}
