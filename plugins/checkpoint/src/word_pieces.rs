use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::bounded::read_bounded;
use crate::tokens::MAX_TOKENIZER_BYTES;
use crate::{CheckpointError, Damage, TokenSetting};

/// Vocabulary file of BERT's older form: one word piece per line.
pub(crate) const WORD_PIECES: &str = "vocab.txt";
const CONFIG: &str = "tokenizer_config.json";
/// Maximum number of word pieces in a `vocab.txt`; the largest published ones have some 200,000.
const MAX_WORD_PIECES: usize = 1 << 22;
/// Tokenizer classes that split text as BERT's does, without `Fast` at the end of the name.
const CLASSES: &str =
    "BertTokenizer, DPRQuestionEncoderTokenizer, DPRContextEncoderTokenizer, DistilBertTokenizer";

/// `tokenizer_config.json` of a BERT, with the defaults of transformers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    tokenizer_class: Option<String>,
    do_lower_case: Option<bool>,
    do_basic_tokenize: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    strip_accents: Option<bool>,
    unk_token: Option<TokenSetting>,
    sep_token: Option<TokenSetting>,
    pad_token: Option<TokenSetting>,
    cls_token: Option<TokenSetting>,
    mask_token: Option<TokenSetting>,
}

impl Config {
    fn read(path: &Path) -> Result<Self, CheckpointError> {
        let unreadable = |reason| CheckpointError::corrupt(path, Damage::Unreadable { reason });
        let value: Value = serde_json::from_slice(&read_bounded(path, MAX_TOKENIZER_BYTES)?)
            .map_err(|source| unreadable(source.to_string()))?;
        let config: Self = crate::settings(value).map_err(unreadable)?;
        let unsupported = |field, got: &str, supported| {
            let path = path.to_owned();
            Err(CheckpointError::Unsupported { path, field, got: got.to_owned(), supported })
        };
        if let Some(class) = &config.tokenizer_class
            && !CLASSES.split(", ").any(|known| class.strip_suffix("Fast").unwrap_or(class) == known)
        {
            return unsupported("tokenizer_class", class, CLASSES);
        }
        if config.do_basic_tokenize == Some(false) {
            return unsupported("do_basic_tokenize", "false", "true");
        }
        Ok(config)
    }
}

/// Converts `vocab.txt` into one `tokenizer.json` with the settings of `tokenizer_config.json`; the
/// defaults are BERT's special tokens and lower case.
pub(crate) fn from_word_pieces(place: &Path) -> Result<Vec<u8>, CheckpointError> {
    let path = place.join(WORD_PIECES);
    let unreadable = |reason: String| CheckpointError::corrupt(&path, Damage::Unreadable { reason });
    let text = String::from_utf8(read_bounded(&path, MAX_TOKENIZER_BYTES)?)
        .map_err(|source| unreadable(source.to_string()))?;
    let vocabulary: BTreeMap<&str, usize> =
        text.lines().take(MAX_WORD_PIECES).enumerate().map(|(id, piece)| (piece.trim_end(), id)).collect();
    let config = place.join(CONFIG);
    let config = if config.is_file() { Config::read(&config)? } else { Config::default() };
    let content = |token: Option<TokenSetting>, default: &str| token.map_or(default.to_owned(), String::from);
    let unknown = content(config.unk_token, "[UNK]");
    let (start, end) = (content(config.cls_token, "[CLS]"), content(config.sep_token, "[SEP]"));
    let (padding, mask) = (content(config.pad_token, "[PAD]"), content(config.mask_token, "[MASK]"));
    let id = |content: &str| {
        let id = vocabulary.get(content).copied();
        id.ok_or_else(|| unreadable(format!("there is no {content}")))
    };
    let (start_id, end_id, _) = (id(&start)?, id(&end)?, id(&unknown)?);
    let special = [&padding, &unknown, &start, &end, &mask];
    let added = special.iter().filter_map(|content| Some((content, vocabulary.get(content.as_str())?)));
    let added: Vec<Value> = added
        .map(|(content, id)| {
            json!({
                "id": id, "content": content, "special": true, "normalized": false, "single_word": false,
                "lstrip": false, "rstrip": false,
            })
        })
        .collect();
    let token = |content: &str, kind: u32| json!({"SpecialToken": {"id": content, "type_id": kind}});
    let part = |name: &str, kind: u32| json!({"Sequence": {"id": name, "type_id": kind}});
    let named = |content: &str, id: usize| json!({"id": content, "ids": [id], "tokens": [content]});
    let whole = json!({
        "version": "1.0", "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "strip_accents": config.strip_accents,
            "handle_chinese_chars": config.tokenize_chinese_chars.unwrap_or(true),
            "lowercase": config.do_lower_case.unwrap_or(true),
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [token(&start, 0), part("A", 0), token(&end, 0)],
            "pair": [token(&start, 0), part("A", 0), token(&end, 0), part("B", 1), token(&end, 1)],
            "special_tokens": {start.clone(): named(&start, start_id), end.clone(): named(&end, end_id)},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
            "type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary,
        },
    });
    serde_json::to_vec(&whole).map_err(|source| unreadable(source.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModelFolder, load_tokenizer};

    const PIECES: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n<s>\n</s>\nhow\nresume\nrésumé\n東京\n東\n京\n";

    fn ids(config: &str, text: &str) -> Result<Vec<u32>, CheckpointError> {
        let home = tempfile::tempdir().unwrap();
        for (name, content) in [("config.json", "{}"), (CONFIG, config), (WORD_PIECES, PIECES)] {
            std::fs::write(home.path().join(name), content).unwrap();
        }
        let tokenizer = load_tokenizer(&ModelFolder::open(home.path()).unwrap())?;
        Ok(tokenizer.ids(text).unwrap())
    }

    #[test]
    fn nulls_of_its_configuration_have_the_published_defaults() {
        let nulls = r#"{"do_lower_case": null, "strip_accents": null, "tokenize_chinese_chars": null,
            "tokenizer_class": null, "cls_token": null, "unk_token": null}"#;
        assert_eq!(ids(nulls, "HOW résumé 東京").unwrap(), [2, 6, 7, 10, 11, 3]);
    }

    #[test]
    fn what_its_configuration_says_of_a_text_is_done() {
        let kept = r#"{"strip_accents": false, "tokenize_chinese_chars": false, "tokenizer_class": "BertTokenizer"}"#;
        assert_eq!(ids(kept, "Résumé 東京").unwrap(), [2, 8, 9, 3]);
        let named = r#"{"cls_token": "<s>", "sep_token": {"content": "</s>", "lstrip": false}}"#;
        assert_eq!(ids(named, "how").unwrap(), [4, 6, 5]);
    }

    #[test]
    fn another_kind_of_tokenizer_is_named_with_its_field_and_file() {
        for (config, field, got) in [
            (r#"{"tokenizer_class": "BertJapaneseTokenizer"}"#, "tokenizer_class", "BertJapaneseTokenizer"),
            (r#"{"do_basic_tokenize": false}"#, "do_basic_tokenize", "false"),
        ] {
            let error = ids(config, "how").unwrap_err().to_string();
            assert!(error.contains(&format!("{CONFIG}: {field} is {got}")), "{error}");
        }
        let error = ids(r#"{"do_lower_case": "yes"}"#, "how").unwrap_err().to_string();
        assert!(error.contains(CONFIG) && error.contains("do_lower_case"), "{error}");
    }
}
