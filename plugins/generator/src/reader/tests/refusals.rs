//! Refusals of the reader: files that do not fit together, questions it cannot read, values that
//! are not numbers.

use postil_checkpoint::CheckpointError;
use postil_contract::{GenerateError, Generator, Passage};

use super::tiny::{CONFIG, Tensors, reader, tokenizer};
use crate::{LoadError, ReaderGenerator};

fn load(config: &str, tensors: &Tensors) -> Result<ReaderGenerator, LoadError> {
    ReaderGenerator::from_bytes(config.as_bytes(), tokenizer().as_bytes(), tensors.bytes())
}

fn refusal(config: &str, tensors: &Tensors) -> LoadError {
    load(config, tensors).err().unwrap()
}

#[test]
fn a_configuration_that_is_none_or_contradicts_itself_is_refused() {
    for broken in ["", "{", "[1]", "{\"model_type\": 1}", "{\"model_type\": \"postil-reader\"}"] {
        assert!(matches!(refusal(broken, &Tensors::new()), LoadError::Config { .. }), "{broken}");
    }
    for (from, to) in [
        ("\"hidden_size\": 8", "\"hidden_size\": 0"),
        ("\"hidden_size\": 8", "\"hidden_size\": 9"),
        ("\"hidden_size\": 8", "\"hidden_size\": 18446744073709551615"),
        ("\"gate_size\": 6", "\"gate_size\": 0"),
        ("\"gate_size\": 6", "\"gate_size\": 9999999999"),
        ("\"type_vocab_size\": 2", "\"type_vocab_size\": 1"),
        ("\"eos_token_id\": 4", "\"eos_token_id\": 32"),
        ("\"eos_token_id\": 4", "\"eos_token_id\": 2"),
        ("\"max_input_tokens\": 40", "\"max_input_tokens\": 41"),
        ("\"max_input_tokens\": 40", "\"max_input_tokens\": 15"),
        ("\"max_question_tokens\": 8", "\"max_question_tokens\": 18446744073709551615"),
        ("\"max_title_tokens\": 4", "\"max_title_tokens\": 0"),
        ("\"gate_size\": 6", "\"gate_size\": 6, \"calibration\": {\"prior_temperature\": 0.0}"),
        ("\"gate_size\": 6", "\"gate_size\": 6, \"calibration\": {\"prior_temperature\": 1e99}"),
        ("\"gate_size\": 6", "\"gate_size\": 6, \"calibration\": {\"no_answer_threshold\": 1.5}"),
        (
            "\"gate_size\": 6",
            "\"gate_size\": 6, \"calibration\": {\"confidence\": {\"offset\": 0, \"probability\": 1e4, \
             \"abstention\": 0}}",
        ),
    ] {
        assert!(CONFIG.contains(from));
        let error = refusal(&CONFIG.replace(from, to), &Tensors::new());
        assert!(matches!(error, LoadError::Config { .. }), "{to}: {error}");
    }
}

#[test]
fn another_kind_of_model_is_named() {
    for (from, to, named) in [
        ("postil-reader", "bert", "bert"),
        ("\"gelu\"", "\"relu\"", "relu"),
        ("\"end\", \"no_answer\"", "\"no_answer\", \"end\"", "no_answer, end, generate, point, continue"),
    ] {
        let error = refusal(&CONFIG.replace(from, to), &Tensors::new());
        assert!(matches!(&error, LoadError::Unsupported { value, .. } if value == named), "{error}");
    }
}

#[test]
fn every_tensor_is_needed_and_its_shape_is_checked() {
    for index in 0..Tensors::new().0.len() {
        let mut missing = Tensors::new();
        let (gone, ..) = missing.0.remove(index);
        let error = refusal(CONFIG, &missing);
        let named = match &error {
            LoadError::Checkpoint(CheckpointError::NoTensor { name, .. }) => name.replace("weight", "codes"),
            other => panic!("{gone}: {other}"),
        };
        assert_eq!(named, gone.replace("weight", "codes"));

        let mut longer = Tensors::new();
        longer.0[index].1[0] += 1;
        let more = longer.0[index].2.len() / (longer.0[index].1[0] - 1);
        longer.0[index].2.extend(vec![0.0; more]);
        let error = refusal(CONFIG, &longer);
        let is_shape = matches!(&error, LoadError::Checkpoint(CheckpointError::TensorShape { .. }));
        assert!(is_shape, "{gone}: {error}");
    }
}

#[test]
fn damaged_bytes_and_a_tokenizer_of_another_size_are_refused() {
    let whole = Tensors::new().bytes();
    for length in [0, 7, 100, whole.len() - 1] {
        let cut = whole[..length].to_vec();
        let error =
            ReaderGenerator::from_bytes(CONFIG.as_bytes(), tokenizer().as_bytes(), cut).err().unwrap();
        assert!(matches!(error, LoadError::Checkpoint(CheckpointError::Corrupt { .. })), "{error}");
    }
    let smaller = tokenizer().replace(", \"twenty\": 31", "");
    let error =
        ReaderGenerator::from_bytes(CONFIG.as_bytes(), smaller.as_bytes(), whole.clone()).err().unwrap();
    assert!(matches!(&error, LoadError::Config { reason } if reason.contains("31 tokens")), "{error}");
    let error = ReaderGenerator::from_bytes(CONFIG.as_bytes(), b"{}", whole).err().unwrap();
    assert!(matches!(error, LoadError::Checkpoint(CheckpointError::Corrupt { .. })), "{error}");
}

#[test]
fn a_question_that_is_empty_or_too_long_is_refused_with_its_length() {
    let reader = reader();
    let refused = |question: &str, passages: &[Passage<'_>]| reader.start(question, passages).err().unwrap();
    let passage = [Passage::untitled("the cat")];
    assert!(matches!(refused("the cat", &[]), GenerateError::NoPassages));
    assert!(matches!(refused(" \n", &passage), GenerateError::EmptyQuestion));
    let error = refused("the the the the the the the the the", &passage);
    assert!(matches!(error, GenerateError::QuestionTooLong { got_tokens: 9, max_tokens: 8 }), "{error}");
    assert!(reader.start("the the the the the the the the", &passage).is_ok());
}

#[test]
fn a_reader_that_yields_no_numbers_is_found_out() {
    for name in [
        "decoder.gate.bias",
        "decoder.generate.bias",
        "decoder.start",
        "decoder.cell.bias_hh",
        "embeddings.position_embeddings.weight",
    ] {
        // Infinity saturates the cell's gates, so there it acts like any large number.
        let infinite = (!name.contains("cell")).then_some(f32::INFINITY);
        for poison in [f32::NAN].into_iter().chain(infinite) {
            let mut broken = Tensors::new();
            broken.get(name).2.fill(poison);
            let reader = load(CONFIG, &broken).unwrap();
            let mut decoding = reader.start("how many", &[Passage::untitled("the cat sat")]).unwrap();
            let error = decoding.log_probs().and_then(|_| decoding.score(&[vec![5, 6, 4]])).err();
            assert!(matches!(error, Some(GenerateError::NotFinite { .. })), "{name} {poison}: {error:?}");
        }
    }
}
