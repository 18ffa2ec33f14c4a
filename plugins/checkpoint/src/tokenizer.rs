use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};

use crate::folder::read_bounded;
use crate::{CheckpointError, Damage, ModelFolder};

/// Largest `tokenizer.json` read; the largest published ones have some 30 MB.
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

const WHOLE: &str = "tokenizer.json";
/// The older form of byte-level byte-pair encoding, in two files, which RAG checkpoints have.
const VOCABULARY: &str = "vocab.json";
const MERGES: &str = "merges.txt";
/// Where a RAG checkpoint keeps its generator's tokenizer.
const GENERATOR: &str = "generator_tokenizer";

/// The folder's tokenizer, with truncation and padding switched off: `tokenizer.json`, or `vocab.json` with
/// `merges.txt` as BART has them; of a RAG checkpoint, the generator's.
///
/// Published files carry both (all-MiniLM-L6-v2: cut and pad to 128), as traces of how they were made,
/// not of what the model can read: cutting would be silent and padding is never needed here.
///
/// # Errors
/// [`CheckpointError::Missing`] without the files, [`CheckpointError::Corrupt`] when they are no tokenizer.
pub fn load_tokenizer(folder: &ModelFolder) -> Result<Tokenizer, CheckpointError> {
    for place in [folder.path().to_owned(), folder.file(GENERATOR)] {
        let (path, bytes) = if place.join(WHOLE).is_file() {
            let path = place.join(WHOLE);
            let bytes = read_bounded(&path, MAX_TOKENIZER_BYTES)?;
            (path, bytes)
        } else if place.join(VOCABULARY).is_file() && place.join(MERGES).is_file() {
            (place.join(VOCABULARY), from_two_files(&place)?)
        } else {
            continue;
        };
        let unreadable = |reason: String| CheckpointError::corrupt(&path, Damage::Unreadable { reason });
        let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(|source| unreadable(source.to_string()))?;
        tokenizer.with_padding(None::<PaddingParams>);
        tokenizer
            .with_truncation(None::<TruncationParams>)
            .map_err(|source| unreadable(source.to_string()))?;
        return Ok(tokenizer);
    }
    Err(CheckpointError::Missing { path: folder.path().to_owned(), file: WHOLE.to_owned() })
}

/// `vocab.json` and `merges.txt` as one `tokenizer.json`, with BART's special tokens where it has them.
fn from_two_files(place: &Path) -> Result<Vec<u8>, CheckpointError> {
    let (path, merges_path) = (place.join(VOCABULARY), place.join(MERGES));
    let unreadable =
        |path: &Path, reason: String| CheckpointError::corrupt(path, Damage::Unreadable { reason });
    let vocabulary: BTreeMap<String, u32> =
        serde_json::from_slice(&read_bounded(&path, MAX_TOKENIZER_BYTES)?)
            .map_err(|source| unreadable(&path, source.to_string()))?;
    let merges = String::from_utf8(read_bounded(&merges_path, MAX_TOKENIZER_BYTES)?)
        .map_err(|source| unreadable(&merges_path, source.to_string()))?;
    let lines = merges.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
    let merges: Option<Vec<(&str, &str)>> = lines.map(|line| line.split_once(' ')).collect();
    let merges = merges.ok_or_else(|| unreadable(&merges_path, "a merge is no pair".to_owned()))?;
    let special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
    let added = special.iter().filter_map(|content| Some((content, vocabulary.get(*content)?)));
    let added: Vec<Value> = added
        .map(|(content, id)| {
            json!({
                "id": id, "content": content, "special": true, "normalized": false, "single_word": false,
                "lstrip": *content == "<mask>", "rstrip": false,
            })
        })
        .collect();
    let around = match (vocabulary.get("<s>"), vocabulary.get("</s>")) {
        (Some(start), Some(end)) => json!({
            "type": "RobertaProcessing", "sep": ["</s>", end], "cls": ["<s>", start],
            "trim_offsets": true, "add_prefix_space": false,
        }),
        _ => Value::Null,
    };
    let bytes =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let whole = json!({
        "version": "1.0", "added_tokens": added, "normalizer": null, "pre_tokenizer": bytes, "decoder": bytes,
        "post_processor": around,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    });
    serde_json::to_vec(&whole).map_err(|source| unreadable(&path, source.to_string()))
}
