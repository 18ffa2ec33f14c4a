//! A database whose questions and passages are encoded by two models, as for DPR.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use postil::plugin::{Encoder, Passage};
use postil::{BertEncoder, Database, Document, Error, ErrorKind, SearchOptions, open_model};

const SIZE: usize = 4;
const PIECES: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhow\nmany\ndays\nforty\ntrains\n.\n?\n";

/// Writes one side of a DPR to `folder`; its weights depend on `seed`.
fn write(folder: &Path, seed: usize, size: usize) {
    std::fs::create_dir_all(folder).unwrap();
    let words = PIECES.lines().count();
    let config = serde_json::json!({"model_type": "dpr", "vocab_size": words, "hidden_size": size,
        "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 6,
        "max_position_embeddings": 64, "projection_dim": 0});
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    std::fs::write(folder.join("vocab.txt"), PIECES).unwrap();
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![words, size]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![64, size]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, size]),
    ];
    let layer = "encoder.layer.0.";
    for (name, output, input) in [
        ("attention.self.query", size, size),
        ("attention.self.key", size, size),
        ("attention.self.value", size, size),
        ("attention.output.dense", size, size),
        ("intermediate.dense", 6, size),
        ("output.dense", size, 6),
    ] {
        shapes.push((format!("{layer}{name}.weight"), vec![output, input]));
        shapes.push((format!("{layer}{name}.bias"), vec![output]));
    }
    for name in ["embeddings.", "encoder.layer.0.attention.output.", "encoder.layer.0.output."] {
        shapes.extend(["weight", "bias"].map(|kind| (format!("{name}LayerNorm.{kind}"), vec![size])));
    }
    let tensors: HashMap<String, Tensor> = shapes
        .into_iter()
        .enumerate()
        .map(|(number, (name, shape))| {
            let count: usize = shape.iter().product();
            let values = (0..count).map(|i| ((i * 7 + number * 13 + seed * 5) % 11) as f32 / 11.0 - 0.4);
            let tensor = Tensor::from_iter(values, &Device::Cpu).unwrap().reshape(shape).unwrap();
            (format!("bert_model.{name}"), tensor)
        })
        .collect();
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).unwrap();
}

/// Names of the two folders as one model.
fn pair(home: &Path) -> String {
    format!("{}+{}", home.join("questions").display(), home.join("passages").display())
}

fn made(home: &Path) {
    write(&home.join("questions"), 1, SIZE);
    write(&home.join("passages"), 2, SIZE);
    let db = Database::options().model(pair(home)).open(home.join("d.postil")).unwrap();
    db.ingest(Document::new("leave", "forty days .")).unwrap();
    db.ingest(Document::new("travel", "many trains .")).unwrap();
    db.close().unwrap();
}

#[test]
fn the_two_models_are_recorded_and_found_again() {
    let home = tempfile::tempdir().unwrap();
    made(home.path());
    let db = Database::open(home.path().join("d.postil")).unwrap();
    assert_eq!(db.profile().encoder, pair(home.path()));
    let (questions, passages) = (home.path().join("questions"), home.path().join("passages"));
    let encoder = BertEncoder::open_pair(&questions, &passages).unwrap();
    let [of_questions, of_passages] = [&questions, &passages].map(|side| BertEncoder::open(side).unwrap());
    let question = encoder.encode_questions(&["how many days ?"]).unwrap();
    assert_eq!(question, of_questions.encode_questions(&["how many days ?"]).unwrap());
    let passage = [Passage { title: "", text: "forty days ." }];
    assert_eq!(encoder.encode_passages(&passage).unwrap(), of_passages.encode_passages(&passage).unwrap());
    assert_ne!(question, of_passages.encode_questions(&["how many days ?"]).unwrap());
    let hits = db.search("how many days ?", &SearchOptions::new(2)).unwrap();
    let exact = db.search_vector(question.row(0).unwrap(), &SearchOptions::new(2).exact()).unwrap();
    assert_eq!(hits, exact, "the question is encoded by the model for questions");
    // A pair that is opened by hand is the same encoder.
    drop(db);
    Database::options().encoder(Arc::new(encoder)).open(home.path().join("d.postil")).unwrap();
}

#[test]
fn a_missing_half_is_named_and_another_pair_is_refused() {
    let home = tempfile::tempdir().unwrap();
    made(home.path());
    let path = home.path().join("d.postil");
    let turned =
        format!("{}+{}", home.path().join("passages").display(), home.path().join("questions").display());
    let refused = Database::options().model(turned).open(&path).unwrap_err();
    assert!(matches!(refused, Error::EncoderMismatch { .. }), "{refused}");
    std::fs::remove_dir_all(home.path().join("passages")).unwrap();
    let missing = Database::open(&path).unwrap().encoder().err().unwrap();
    assert!(missing.to_string().contains("passages") && missing.kind() == ErrorKind::NotFound, "{missing}");
    write(&home.path().join("passages"), 2, 2 * SIZE);
    let unequal = open_model(&pair(home.path())).err().unwrap();
    assert!(unequal.kind() == ErrorKind::Input && unequal.to_string().contains('8'), "{unequal}");
}
