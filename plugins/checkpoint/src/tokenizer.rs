use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bounded::read_bounded;
use crate::tokens::MAX_TOKENIZER_BYTES;
use crate::word_pieces::{WORD_PIECES, from_word_pieces};
use crate::{CheckpointError, Damage, ModelFolder, Tokenizer};

const WHOLE: &str = "tokenizer.json";
/// Vocabulary file of the older, two-file form of byte-level byte-pair encoding, which RAG
/// checkpoints have.
const VOCABULARY: &str = "vocab.json";
const MERGES: &str = "merges.txt";
/// Subfolder of a RAG checkpoint with its generator's tokenizer.
const GENERATOR: &str = "generator_tokenizer";
/// Subfolder of a RAG checkpoint with its question encoder's tokenizer.
const QUESTION_ENCODER: &str = "question_encoder_tokenizer";

/// Loads the folder's tokenizer: `tokenizer.json`, or `vocab.json` with `merges.txt` as for BART,
/// or `vocab.txt` as for BERT. For a RAG checkpoint, this is the generator's.
///
/// # Errors
/// [`CheckpointError::Missing`] without the files, [`CheckpointError::Corrupt`] when they are not a
/// tokenizer.
pub fn load_tokenizer(folder: &ModelFolder) -> Result<Tokenizer, CheckpointError> {
    load_from(&[folder.path().to_owned(), folder.file(GENERATOR)])
}

/// Loads the tokenizer of a RAG checkpoint's question encoder.
///
/// # Errors
/// As [`load_tokenizer`].
pub fn load_question_tokenizer(folder: &ModelFolder) -> Result<Tokenizer, CheckpointError> {
    load_from(&[folder.file(QUESTION_ENCODER)])
}

impl ModelFolder {
    /// Loads the tokenizer, see [`load_tokenizer`].
    ///
    /// # Errors
    /// [`CheckpointError::Missing`] or [`CheckpointError::Corrupt`].
    pub fn tokenizer(&self) -> Result<Tokenizer, CheckpointError> {
        load_tokenizer(self)
    }
}

/// Loads the tokenizer from the first of the places that has one.
fn load_from(places: &[PathBuf]) -> Result<Tokenizer, CheckpointError> {
    for place in places {
        let (path, bytes) = if place.join(WHOLE).is_file() {
            let path = place.join(WHOLE);
            let bytes = read_bounded(&path, MAX_TOKENIZER_BYTES)?;
            (path, bytes)
        } else if place.join(VOCABULARY).is_file() && place.join(MERGES).is_file() {
            (place.join(VOCABULARY), from_two_files(place)?)
        } else if place.join(WORD_PIECES).is_file() {
            (place.join(WORD_PIECES), from_word_pieces(place)?)
        } else {
            continue;
        };
        return Tokenizer::from_json(&bytes).map_err(|error| {
            CheckpointError::corrupt(&path, Damage::Unreadable { reason: error.to_string() })
        });
    }
    Err(CheckpointError::Missing { path: places[0].clone(), file: WHOLE.to_owned() })
}

/// Combines `vocab.json` and `merges.txt` into one `tokenizer.json`, with those of BART's special
/// tokens that the vocabulary has.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, ModelFolder) {
        let home = tempfile::tempdir().unwrap();
        for (name, content) in [("config.json", "{}")].iter().chain(files) {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let folder = ModelFolder::open(home.path()).unwrap();
        (home, folder)
    }

    const PIECES: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhow\nman\n##y\n?\n";

    #[test]
    fn a_question_encoders_word_pieces_are_read_from_lines() {
        let (_home, rag) = folder(&[("question_encoder_tokenizer/vocab.txt", PIECES)]);
        let tokenizer = load_question_tokenizer(&rag).unwrap();
        let ids = |text: &str| tokenizer.ids(text).unwrap();
        assert_eq!(ids("How MANY?"), [2, 4, 5, 6, 7, 3]);
        assert_eq!(ids("zebra"), [2, 1, 3]);
        assert!(matches!(load_tokenizer(&rag), Err(CheckpointError::Missing { .. })));
        let pair = tokenizers::Tokenizer::from_bytes(tokenizer.to_json()).unwrap();
        let pair = pair.encode(("how", "many"), true).unwrap();
        assert_eq!(
            (pair.get_ids(), pair.get_type_ids()),
            ([2, 4, 3, 5, 6, 3].as_slice(), [0, 0, 0, 1, 1, 1].as_slice())
        );
    }

    #[test]
    fn a_cased_vocabulary_stays_cased_and_one_without_its_tokens_is_damaged() {
        let cased = [("vocab.txt", PIECES), ("tokenizer_config.json", r#"{"do_lower_case": false}"#)];
        let (_home, model) = folder(&cased);
        assert_eq!(load_tokenizer(&model).unwrap().ids("How man").unwrap(), [2, 1, 5, 3]);
        let (_home, model) = folder(&[("vocab.txt", "how\nmany\n")]);
        assert!(matches!(load_tokenizer(&model), Err(CheckpointError::Corrupt { .. })));
    }
}
