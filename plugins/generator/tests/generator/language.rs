//! Generators opened from model folders: answers in text, and folders that do not open.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use candle_core::{DType, Device, Tensor};
use postil_checkpoint::ModelFolder;
use postil_contract::{GenerateError, Generator, Passage};
use postil_encoder::{BertModel, Packed};
use postil_generator::{
    AnswerOptions, BeamOptions, Constraints, Decode, LanguageGenerator, LoadError, Mode, Retrieved, Sampling,
    answer, answer_watched,
};
use serde_json::{Value, json};

use crate::UNWATCHED;
use crate::support::folder::{
    CHATML, CONTROLS, Folder, VOCABULARY, bart_config, bart_tensors, control, letter, llama_config,
    llama_tensors, named,
};

fn passages() -> Vec<Retrieved<'static>> {
    let of = |text, relevance| Retrieved { passage: Passage::untitled(text), relevance };
    vec![of("Twenty days of leave.", 0.4), of("None at all.", 0.3), of("", 0.1)]
}

fn options(search: Decode, max_tokens: usize) -> AnswerOptions {
    // Random weights ignore the passages: the answer is looked at whatever its evidence.
    let min_evidence = f64::NEG_INFINITY;
    AnswerOptions {
        search: Some(search),
        constraints: Constraints::new(max_tokens),
        min_evidence,
        ..AnswerOptions::new(20.0)
    }
}

#[test]
fn what_is_remembered_of_a_passage_changes_no_probability() {
    let folder = Folder::llama(900, Some(CHATML));
    let open = |bytes| LanguageGenerator::open(folder.path()).unwrap().with_passage_memory(bytes);
    let (with, without) = (open(64 << 20), open(0));
    let texts: Vec<Passage<'_>> = passages().iter().map(|p| p.passage).collect();
    // The last of them has a passage that was read in another place, and a new one.
    let rounds = [
        ("How many days?", texts.clone()),
        ("How many days?", texts.clone()),
        ("0 or more?", texts[..2].to_vec()),
        ("None at all?", vec![texts[1], Passage::untitled("Three."), texts[0]]),
    ];
    for (question, passages) in rounds {
        let lines = [&with, &without].map(|generator| {
            let mut decoding = generator.start(question, &passages).unwrap();
            let first = decoding.log_probs().unwrap();
            decoding.advance(&[0, 0], &[5, 9]).unwrap();
            let second = decoding.log_probs().unwrap();
            let scores = decoding.score(&[vec![7, 3, 4], vec![7, 2]]).unwrap();
            let scores =
                scores.iter().flat_map(|scores| scores.tokens().flatten().copied().collect::<Vec<_>>());
            let steps = first.row(0).iter().chain(second.row(0)).chain(second.row(1)).copied();
            steps.chain(scores.flatten()).collect::<Vec<f32>>()
        });
        assert!(lines[0].len() > 1000 && lines[0].len() == lines[1].len());
        for (with, without) in lines[0].iter().zip(&lines[1]) {
            assert!((with - without).abs() < 1e-4, "{question}: {with} {without}");
        }
    }
}

#[test]
fn every_search_answers_in_text_whose_tokens_join_to_it() {
    let beams = BeamOptions::new(2);
    let searches = [
        Decode::Greedy,
        Decode::Sample(Sampling::new(3)),
        Decode::Beam(beams.clone()),
        Decode::Thorough(beams.clone()),
        Decode::Union(beams),
    ];
    for folder in [Folder::llama(900, Some(CHATML)), Folder::llama(900, None), Folder::bart()] {
        let generator = LanguageGenerator::open(folder.path()).unwrap();
        for (search, mode) in searches.iter().flat_map(|s| [(s, Mode::Sequence), (s, Mode::Token)]) {
            let options = AnswerOptions { mode, ..options(search.clone(), 12) };
            let mut streamed = String::new();
            let found =
                answer_watched(&generator, "How many?", &passages(), &options, UNWATCHED, &mut |token| {
                    streamed += &token.text;
                    ControlFlow::Continue(())
                });
            let found = found.unwrap();
            assert_eq!(streamed.trim(), found.text);
            assert!(!found.text.ends_with('\u{fffd}') && !found.text.contains("<|im_"), "{:?}", found.text);
            assert!((found.posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let total: f64 = found.tokens.iter().map(|token| token.log_prob).sum();
            assert!((total - found.log_probability).abs() < 1e-6);
        }
    }
}

#[test]
fn text_grows_only_at_its_end_and_by_whole_characters() {
    let generator = LanguageGenerator::open(Folder::llama(900, Some(CHATML)).path()).unwrap();
    let decoding = generator.start("q", &[Passage::untitled("p")]).unwrap();
    let mut tokens: Vec<u32> = "größer 語🦀!".bytes().map(u32::from).collect();
    let mut before = String::new();
    for length in 0..=tokens.len() {
        let text = decoding.text(&tokens[..length]);
        assert!(text.starts_with(&before) && !text.contains('\u{fffd}'), "{before:?} {text:?}");
        before = text;
    }
    assert_eq!(before, "größer 語🦀!");
    tokens.extend([control("<|im_end|>"), control("</s>")]);
    assert_eq!(decoding.text(&tokens), "größer 語🦀!");
    let ends: Vec<u32> = (0..VOCABULARY as u32).filter(|token| decoding.is_end(*token)).collect();
    assert_eq!(ends, ["</s>", "<|im_end|>"].map(control));
}

#[test]
fn a_stop_string_ends_an_answer_and_is_no_part_of_it() {
    let folder = Folder::llama(900, Some(CHATML));
    folder.json("generation_config.json", &json!({"stop_strings": ["\nUser:"]}));
    let generator = LanguageGenerator::open(folder.path()).unwrap().with_stop_strings(["END".to_owned()]);
    let decoding = generator.start("q", &[Passage::untitled("p")]).unwrap();
    let bytes = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
    for (said, text, finished) in [
        ("twenty", "twenty", false),
        ("twenty E", "twenty ", false),
        ("twenty\nUs", "twenty", false),
        ("twenty\nUser:", "twenty", true),
        ("oneENDtwo\nUser:", "one", true),
    ] {
        assert_eq!(
            (decoding.text(&bytes(said)).as_str(), decoding.is_finished(&bytes(said))),
            (text, finished),
            "{said}"
        );
    }
    let ended = [bytes("C\nUser"), vec![control("</s>")]].concat();
    assert_eq!((decoding.text(&ended).as_str(), decoding.is_finished(&ended)), ("C\nUser", true));
}

#[test]
fn a_search_ends_at_a_stop_string() {
    let folder = Folder::llama(900, Some(CHATML));
    let open = || LanguageGenerator::open(folder.path()).unwrap();
    for search in [Decode::Greedy, Decode::Beam(BeamOptions::new(1)), Decode::Union(BeamOptions::new(2))] {
        let free = answer(&open(), "q", &passages(), &options(search.clone(), 6)).unwrap();
        let stop = free.tokens.iter().map(|t| t.text.clone()).find(|text| !text.trim().is_empty()).unwrap();
        let stopped = open().with_stop_strings([stop.clone()]);
        let found = answer(&stopped, "q", &passages(), &options(search.clone(), 6)).unwrap();
        assert!(!found.text.contains(&stop), "{stop:?} in {:?}", found.text);
        if matches!(search, Decode::Greedy) {
            assert!(
                free.text.starts_with(&found.text) && found.tokens.len() < 6,
                "{stop:?} {:?}",
                found.tokens
            );
        }
    }
}

#[test]
fn forced_tokens_of_the_checkpoint_reach_the_search() {
    let generator = LanguageGenerator::open(Folder::bart().path()).unwrap();
    let form = generator.start("q", &[Passage::untitled("p")]).unwrap().form();
    assert_eq!((form.forced_first, form.forced_last), (Some(control("<s>")), Some(control("</s>"))));
    assert_eq!(form.max_tokens, Some(600));
    let found = answer(&generator, "q", &passages(), &options(Decode::Greedy, 3)).unwrap();
    assert!(found.tokens.len() <= 3 && found.tokens[0].text.is_empty());
    assert!(found.tokens.last().unwrap().text.is_empty());
}

#[test]
fn runs_that_the_checkpoint_forbids_are_not_repeated_unless_asked_otherwise() {
    let folder = Folder::llama(900, Some(CHATML));
    folder.json("generation_config.json", &json!({"no_repeat_ngram_size": 1}));
    let generator = LanguageGenerator::open(folder.path()).unwrap();
    assert_eq!(generator.start("q", &[Passage::untitled("p")]).unwrap().form().no_repeat, 1);
    let said = |no_repeat| {
        let constraints = Constraints { no_repeat, ..Constraints::new(12) };
        let options = AnswerOptions { constraints, ..options(Decode::Greedy, 12) };
        let tokens = answer(&generator, "q", &passages(), &options).unwrap().tokens.into_iter();
        // Bytes of an incomplete character add no text yet.
        tokens.map(|token| token.text).filter(|text| !text.is_empty()).collect::<Vec<_>>()
    };
    let distinct = |texts: &[String]| texts.iter().collect::<HashSet<_>>().len();
    let (apart, free) = (said(0), said(12));
    assert_eq!(distinct(&apart), apart.len(), "{apart:?}");
    assert!(distinct(&free) < free.len(), "this model says a token twice when it may: {free:?}");
}

#[test]
fn an_answer_is_cut_where_the_window_ends() {
    let generator = LanguageGenerator::open(Folder::llama(90, None).path()).unwrap();
    let found = answer(&generator, "q", &passages(), &options(Decode::Greedy, 10_000)).unwrap();
    assert!(found.tokens.len() <= 90);
    let none = answer(&generator, "q", &passages(), &options(Decode::Greedy, 0)).err().unwrap();
    assert!(matches!(none, GenerateError::Value { .. }));
}

/// The BERT of the question side, of one layer, under `prefix`.
fn question_encoder(prefix: &str) -> HashMap<String, Tensor> {
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    for (name, rows) in [("word", 11), ("position", 16), ("token_type", 2)] {
        shapes.push((format!("embeddings.{name}_embeddings.weight"), vec![rows, 4]));
    }
    let mut map = |name: &str, output: usize, input: usize| {
        shapes.push((format!("{name}.weight"), vec![output, input]));
        shapes.push((format!("{name}.bias"), vec![output]));
    };
    for part in ["self.query", "self.key", "self.value", "output.dense"] {
        map(&format!("encoder.layer.0.attention.{part}"), 4, 4);
    }
    map("encoder.layer.0.intermediate.dense", 6, 4);
    map("encoder.layer.0.output.dense", 4, 6);
    for norm in ["embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"] {
        shapes.push((format!("{norm}.LayerNorm.weight"), vec![4]));
        shapes.push((format!("{norm}.LayerNorm.bias"), vec![4]));
    }
    named(&shapes).into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect()
}

/// A composite checkpoint as published: tokenizers in two folders and two files each, everything in
/// one file of weights.
fn composite() -> Folder {
    let folder = Folder::new();
    let encoder = json!({"model_type": "dpr", "vocab_size": 11, "hidden_size": 4, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 6, "max_position_embeddings": 16, "projection_dim": 0});
    folder.json(
        "config.json",
        &json!({"model_type": "rag", "generator": bart_config(), "question_encoder": encoder,
        "title_sep": " ~ ", "doc_sep": " ~~ ", "n_docs": 3, "max_combined_length": 40, "prefix": null,
        "eos_token_id": null, "vocab_size": null}),
    );
    let vocabulary: serde_json::Map<String, Value> = (0..=255u8)
        .map(|byte| letter(byte).to_string())
        .chain(CONTROLS.iter().map(|content| (*content).to_owned()))
        .enumerate()
        .map(|(id, token)| (token, json!(id)))
        .collect();
    folder.write("generator_tokenizer/vocab.json", Value::Object(vocabulary).to_string());
    folder.write("generator_tokenizer/merges.txt", "#version: 0.2\n");
    let mut tensors = bart_tensors("rag.generator.model.");
    let zero = Tensor::zeros((1, VOCABULARY), DType::F32, &Device::Cpu).unwrap();
    tensors.insert("rag.generator.final_logits_bias".to_owned(), zero);
    tensors.extend(question_encoder("rag.question_encoder.question_encoder.bert_model."));
    folder.weights("model.safetensors", &tensors, DType::F32);
    folder
}

#[test]
fn a_composite_rag_checkpoint_gives_its_generator_and_its_form_of_prompt() {
    let (rag, bart) = (composite(), Folder::bart());
    let generator = LanguageGenerator::open(rag.path()).unwrap();
    let given = [Passage { title: "Leave", text: "Twenty days. And so on and on." }];
    let (prompts, shortened) = generator.prompts("How Many?", &given).unwrap();
    let text: String =
        prompts[0].iter().map(|token| char::from(u8::try_from(*token).unwrap_or(b'|'))).collect();
    assert_eq!((text.as_str(), shortened), ("|Leave ~ Twenty days. ~~ how many?|", vec![0]));
    assert!(prompts[0].len() <= 40);

    let alone = LanguageGenerator::open(bart.path()).unwrap();
    let logits = |generator: &LanguageGenerator| generator.model().logits(&prompts, &[256, 65, 66]).unwrap();
    assert_eq!(logits(&generator), logits(&alone));
}

#[test]
fn the_question_encoder_of_a_composite_checkpoint_is_the_one_it_was_made_of() {
    let (rag, alone) = (composite(), Folder::new());
    let config: Value =
        serde_json::from_slice(&std::fs::read(rag.path().join("config.json")).unwrap()).unwrap();
    alone.weights("model.safetensors", &question_encoder("question_encoder.bert_model."), DType::F32);
    let states = |folder: &Folder| {
        folder.json("config.json", &config["question_encoder"]);
        let model = BertModel::open(&ModelFolder::open(folder.path()).unwrap()).unwrap();
        model.forward(Packed { ids: &[1, 5, 10], type_ids: &[], lengths: &[3] }).unwrap()
    };
    assert_eq!(states(&rag), states(&alone));
}

#[test]
fn weights_in_shards_of_half_precision_give_the_same_model() {
    let folder = Folder::llama(100, None);
    let whole = LanguageGenerator::open(folder.path()).unwrap();
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let (mut shards, mut map) = (vec![HashMap::new(), HashMap::new()], serde_json::Map::new());
    for (i, (name, tensor)) in llama_tensors().into_iter().enumerate() {
        map.insert(name.clone(), json!(format!("part-{}.safetensors", i % 2)));
        shards[i % 2].insert(name, tensor);
    }
    folder.json("model.safetensors.index.json", &json!({"weight_map": map}));
    for dtype in [DType::BF16, DType::F16] {
        for (i, shard) in shards.iter().enumerate() {
            folder.weights(&format!("part-{i}.safetensors"), shard, dtype);
        }
        let sharded = LanguageGenerator::open(folder.path()).unwrap();
        let logits =
            |generator: &LanguageGenerator| generator.model().logits(&[vec![1, 2, 3]], &[4, 5]).unwrap();
        assert_eq!(logits(&whole), logits(&sharded), "{dtype:?}");
    }
}

#[test]
fn a_folder_that_lacks_something_says_what() {
    let missing = |file: &str| {
        let folder = Folder::llama(100, None);
        std::fs::remove_file(folder.path().join(file)).unwrap();
        LanguageGenerator::open(folder.path()).err().unwrap()
    };
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let error = missing(file);
        assert!(matches!(&error, LoadError::Checkpoint(_)) && error.to_string().contains(file), "{error}");
    }
    let folder = Folder::llama(100, None);
    let mut other = llama_config(100);
    other["model_type"] = json!("mamba");
    folder.json("config.json", &other);
    let error = LanguageGenerator::open(folder.path()).err().unwrap();
    assert!(matches!(&error, LoadError::Unsupported { value, .. } if value == "mamba"), "{error}");
}

#[test]
fn a_model_that_yields_no_numbers_gives_an_error_and_no_answer() {
    let folder = Folder::llama(200, None);
    let mut tensors = llama_tensors();
    let poison = Tensor::full(f32::NAN, (16, 24), &Device::Cpu).unwrap();
    tensors.insert("model.layers.0.mlp.down_proj.weight".to_owned(), poison);
    folder.weights("model.safetensors", &tensors, DType::F32);
    let generator = LanguageGenerator::open(folder.path()).unwrap();
    for search in [Decode::Greedy, Decode::Union(BeamOptions::new(2))] {
        let error = answer(&generator, "q", &passages(), &options(search, 4)).err().unwrap();
        assert!(matches!(error, GenerateError::NotFinite { .. }), "{error}");
    }
}
