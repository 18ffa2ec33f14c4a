//! A model's files: a configuration, a tokenizer and weights that anyone may have written.

use super::target;
use postil_checkpoint::{GgufFile, ModelFolder, Weights, load_tokenizer};
use postil_encoder::BertConfig;
use postil_hostile::Target;
use std::path::Path;

const CONFIGS: [&str; 4] = [
    "{\"model_type\":\"bert\",\"vocab_size\":30522,\"hidden_size\":384,\"num_hidden_layers\":6,\
     \"num_attention_heads\":12,\"intermediate_size\":1536,\"max_position_embeddings\":512,\"layer_norm_eps\":1e-12}",
    "{\"model_type\":\"dpr\",\"vocab_size\":100,\"hidden_size\":8,\"num_hidden_layers\":1,\"num_attention_heads\":2,\
     \"intermediate_size\":16,\"max_position_embeddings\":32,\"type_vocab_size\":2,\"projection_dim\":4,\
     \"hidden_act\":\"gelu\",\"position_embedding_type\":\"absolute\"}",
    "{\"model_type\":\"rag\",\"question_encoder\":{\"model_type\":\"dpr\",\"vocab_size\":100,\"hidden_size\":8,\
     \"num_hidden_layers\":1,\"num_attention_heads\":2,\"intermediate_size\":16,\"max_position_embeddings\":32}}",
    "{\"model_type\":\"t5\",\"d_model\":8}",
];
const TOKENIZERS: [&str; 3] = [
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{\"id\":0,\"content\":\"[UNK]\",\
     \"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}],\
     \"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\
     \"strip_accents\":null,\"lowercase\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\
     \"post_processor\":null,\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},\
     \"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\
     \"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0,\"a\":1,\"##b\":2}}}",
    "{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\
     \"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,\
     \"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},\
     \"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"continuing_subword_prefix\":null,\
     \"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":false,\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\
     \"merges\":[[\"a\",\"b\"]]}}",
    "{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":{\"type\":\"NFKC\"},\"pre_tokenizer\":{\"type\":\
     \"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"always\",\"split\":true},\"post_processor\":null,\
     \"decoder\":null,\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0.0],[\"a\",-1.0],\
     [\"ab\",-2.5]],\"byte_fallback\":false}}",
];
const WORDS: [&str; 12] =
    ["{", "}", "[", "]", "null", "true", "-1", "1e999", "\"type\":", "\"\"", "18446744073709551616", "NaN"];

/// A folder for a model whose configuration says nothing.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    folder
}

/// config.json.
pub(crate) fn config() -> Target<'static> {
    let folder = folder();
    target("config", &CONFIGS, move |bytes| {
        std::fs::write(folder.path().join("config.json"), bytes).unwrap();
        let opened = ModelFolder::open(folder.path()).unwrap();
        if let Ok(config) = BertConfig::open(&opened) {
            // Sizes that were accepted can be computed with.
            assert!(config.hidden_size % config.num_attention_heads == 0);
            assert!(config.hidden_size.checked_mul(config.intermediate_size).is_some());
        }
    })
    .words(&WORDS)
}

/// tokenizer.json, which then reads a text.
pub(crate) fn tokenizer() -> Target<'static> {
    let folder = folder();
    target("tokenizer", &TOKENIZERS, move |bytes| {
        std::fs::write(folder.path().join("tokenizer.json"), bytes).unwrap();
        let opened = ModelFolder::open(folder.path()).unwrap();
        if let Ok(tokenizer) = load_tokenizer(&opened) {
            let _ = tokenizer.ids("ab a b ab\u{301} 東 x\n").map(|ids| tokenizer.text(&ids));
        }
    })
    .words(&WORDS)
}

/// Weights in safetensors.
pub(crate) fn safetensors() -> Target<'static> {
    let file = |json: &str, data_bytes: usize| {
        let json = format!("{json:<64}");
        [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), &vec![7; data_bytes]].concat()
    };
    let valid = [
        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 24),
        file(
            "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[0,4]},\
             \"b\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_offsets\":[4,8]}}",
            8,
        ),
    ];
    Target::new("safetensors", valid, |bytes| {
        let Ok(weights) = Weights::from_bytes(Path::new("w.safetensors"), bytes.to_vec()) else { return };
        for name in weights.names().map(str::to_owned).collect::<Vec<_>>() {
            for shape in [&[2, 3][..], &[4], &[]] {
                let _ = (weights.values(&name, shape), weights.codes(&name, shape));
            }
        }
    })
    .words(&[
        "{",
        "}",
        "\"F64\"",
        "\"dtype\":",
        "\"shape\":",
        "\"data_offsets\":",
        "18446744073709551615",
        ",",
    ])
}

/// GGUF: header, tokenizer and tensors' places.
pub(crate) fn gguf() -> Target<'static> {
    let folder = tempfile::tempdir().unwrap();
    Target::new("gguf", [gguf_file("gpt2"), gguf_file("llama")], move |bytes| {
        let path = folder.path().join("m.gguf");
        std::fs::write(&path, bytes).unwrap();
        if let Ok(file) = GgufFile::open(&path) {
            if let Ok(tokenizer) = file.tokenizer() {
                let _ = tokenizer.bare_ids("ab a<|end|>").map(|ids| tokenizer.text(&ids));
            }
            let _ = (
                file.count("llama.block_count"),
                file.number("llama.block_count"),
                file.text("general.architecture"),
            );
        }
    })
    .words(&["GGUF", "tokenizer.ggml.tokens", "tokenizer.ggml.merges", "general.alignment", "a b"])
}

/// A small file with a tokenizer of a kind and two tensors.
fn gguf_file(kind: &str) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let entry = |key: &str, kind: u32, value: &[u8]| [&text(key), &kind.to_le_bytes()[..], value].concat();
    let list = |key: &str, kind: u32, values: &[Vec<u8>]| {
        let head = [&kind.to_le_bytes()[..], &(values.len() as u64).to_le_bytes()].concat();
        entry(key, 9, &[head, values.concat()].concat())
    };
    let tensor = |name: &str, sides: &[u64], kind: u32, offset: u64| {
        let sides: Vec<u8> = sides.iter().flat_map(|side| side.to_le_bytes()).collect();
        let count = ((sides.len() / 8) as u32).to_le_bytes();
        [&text(name)[..], &count, &sides, &kind.to_le_bytes(), &offset.to_le_bytes()].concat()
    };
    let tokens = ["<unk>", "a", "b", "ab", "<|end|>", "<0xC3>", "<", "|", ">"];
    let entries = [
        entry("general.architecture", 8, &text("llama")),
        entry("llama.block_count", 4, &[2, 0, 0, 0]),
        entry("tokenizer.ggml.model", 8, &text(kind)),
        entry("tokenizer.ggml.pre", 8, &text("llama-bpe")),
        list("tokenizer.ggml.tokens", 8, &tokens.map(text)),
        list(
            "tokenizer.ggml.token_type",
            5,
            &[1i32, 1, 1, 1, 3, 6, 1, 1, 1].map(|kind| kind.to_le_bytes().to_vec()),
        ),
        list(
            "tokenizer.ggml.scores",
            6,
            &[0f32, -1., -2., -3., 0., 0., -4., -5., -6.].map(|s| s.to_le_bytes().to_vec()),
        ),
        list("tokenizer.ggml.merges", 8, &["a b"].map(text)),
    ];
    let tensors = [tensor("a", &[4, 2], 0, 0), tensor("b", &[32], 8, 32)];
    let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes()].concat();
    bytes.extend((tensors.len() as u64).to_le_bytes());
    bytes.extend((entries.len() as u64).to_le_bytes());
    bytes.extend(entries.iter().chain(&tensors).flatten());
    bytes.resize(bytes.len().next_multiple_of(32) + 66, 7);
    bytes
}
