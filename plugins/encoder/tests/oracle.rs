//! all-MiniLM-L6-v2 against vectors that PyTorch computed, see `fixtures/make_reference.py`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first failure, and says when it is skipped"
)]

use std::path::{Path, PathBuf};

use candle_core::Tensor;
use postil_checkpoint::{locate, model_home};
use postil_contract::{EncodeError, Encoder, Passage};
use postil_encoder::BertEncoder;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// The model, from the model home; `None`, with a message, when absent.
fn model() -> Option<PathBuf> {
    let found = model_home().ok().and_then(|home| locate("all-MiniLM-L6-v2", &home).ok());
    if found.is_none() {
        println!("skipped: no all-MiniLM-L6-v2, set POSTIL_MODELS to the folder that holds it");
    }
    found
}

fn texts() -> Vec<String> {
    serde_json::from_slice(&std::fs::read(Path::new(FIXTURES).join("texts.json")).unwrap()).unwrap()
}

#[test]
fn vectors_are_those_of_pytorch() {
    let Some(folder) = model() else { return };
    let encoder = BertEncoder::open(&folder).unwrap();
    let texts = texts();
    let texts: Vec<&str> = texts.iter().step_by(5).map(String::as_str).collect();
    let reference = Tensor::read_npy(Path::new(FIXTURES).join("reference.npy")).unwrap();
    let reference: Vec<Vec<f32>> = reference.to_vec2().unwrap();
    let vectors = encoder.encode_questions(&texts).unwrap();
    assert_eq!(vectors.len(), reference.len());
    for ((got, expected), text) in vectors.rows().zip(&reference).zip(texts) {
        let cosine: f64 = got.iter().zip(expected).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let most = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(cosine >= 0.9999 && most <= 1e-4, "{cosine} {most:e}: {text}");
    }
}

#[test]
fn the_order_of_a_batch_and_its_company_change_no_vector() {
    let Some(folder) = model() else { return };
    let encoder = BertEncoder::open(&folder).unwrap();
    let texts = ["a much longer text than the other two, by some words", "", "short"];
    let together = encoder.encode_questions(&texts).unwrap();
    for (text, row) in texts.iter().zip(together.rows()) {
        let alone = encoder.encode_questions(&[text]).unwrap();
        let most = alone.row(0).unwrap().iter().zip(row).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 1e-6, "{text}: {most:e}");
    }
    assert_eq!(encoder.encode_questions(&[]).unwrap().len(), 0);
}

#[test]
fn a_text_fills_its_room_exactly_and_one_token_more_is_an_error() {
    let Some(folder) = model() else { return };
    let encoder = BertEncoder::open(&folder).unwrap();
    for title in ["", "A title"] {
        let room = encoder.room(title).unwrap();
        assert!(room < encoder.profile().max_tokens);
        let text = "word ".repeat(room);
        encoder.encode_passages(&[Passage { title, text: &text }]).unwrap();
        let text = "word ".repeat(room + 1);
        let error =
            encoder.encode_passages(&[Passage::untitled("x"), Passage { title, text: &text }]).unwrap_err();
        assert!(
            matches!(error, EncodeError::TooLong { index: 1, got_tokens: 257, max_tokens: 256 }),
            "{error}"
        );
    }
}

#[test]
fn token_ranges_are_bytes_of_the_text() {
    let Some(folder) = model() else { return };
    let encoder = BertEncoder::open(&folder).unwrap();
    let text = "Ünïted 中文, 👍🏽 tokenization";
    let pieces: Vec<&str> = encoder.tokens(text).unwrap().into_iter().map(|range| &text[range]).collect();
    assert_eq!(pieces[..4], ["Ünïted", "中", "文", ","]);
    assert_eq!(pieces[pieces.len() - 2..], ["token", "ization"]);
    let long = "word ".repeat(1000);
    assert_eq!(encoder.tokens(&long).unwrap().len(), 1000);
}

#[test]
fn a_truncated_model_file_is_an_error_that_says_so() {
    let Some(folder) = model() else { return };
    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    let weights = std::fs::read(folder.join("model.safetensors")).unwrap();
    std::fs::write(copy.path().join("model.safetensors"), &weights[..weights.len() / 2]).unwrap();
    let error = BertEncoder::open(copy.path()).err().unwrap().to_string();
    assert!(error.contains("model.safetensors") && error.contains("truncated"), "{error}");
}
