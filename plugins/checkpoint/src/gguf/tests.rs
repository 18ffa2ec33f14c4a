use proptest::prelude::*;

use super::*;

/// Writes files byte by byte, valid or damaged.
#[derive(Clone)]
struct Written {
    entries: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    data_bytes: usize,
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

fn entry(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [&text(key), &kind.to_le_bytes()[..], value].concat()
}

fn list(key: &str, kind: u32, values: &[Vec<u8>]) -> Vec<u8> {
    let head = [&kind.to_le_bytes()[..], &(values.len() as u64).to_le_bytes()].concat();
    entry(key, 9, &[head, values.concat()].concat())
}

fn tensor(name: &str, sides: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let sides: Vec<u8> = (sides.len() as u32)
        .to_le_bytes()
        .into_iter()
        .chain(sides.iter().flat_map(|s| s.to_le_bytes()))
        .collect();
    [&text(name), &sides[..], &kind.to_le_bytes(), &offset.to_le_bytes()].concat()
}

impl Written {
    fn sound() -> Self {
        let entries = vec![
            entry("general.architecture", 8, &text("llama")),
            entry("llama.block_count", 4, &[2, 0, 0, 0]),
        ];
        Self { entries, tensors: vec![tensor("a", &[4, 2], 0, 0), tensor("b", &[32], 8, 32)], data_bytes: 66 }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes()].concat();
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.entries.len() as u64).to_le_bytes());
        bytes.extend(self.entries.iter().chain(&self.tensors).flatten());
        bytes.resize(bytes.len().next_multiple_of(32) + self.data_bytes, 7);
        bytes
    }
}

fn open(bytes: &[u8]) -> Result<GgufFile, CheckpointError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    std::fs::write(&path, bytes).unwrap();
    GgufFile::open(&path)
}

fn damage(bytes: &[u8]) -> Damage {
    match open(bytes).unwrap_err() {
        CheckpointError::Corrupt { damage, .. } => damage,
        other => panic!("{other}"),
    }
}

#[test]
fn a_sound_file_is_read() {
    let file = open(&Written::sound().bytes()).unwrap();
    assert_eq!((file.name().as_str(), file.text("general.architecture")), ("tiny", Some("llama")));
    assert_eq!(file.count("llama.block_count"), Some(2));
    let GgufTensor { shape, dtype, range } = &file.tensors()["a"];
    assert_eq!((shape.as_slice(), *dtype, range.end - range.start), ([2, 4].as_slice(), "F32", 32));
    assert_eq!(file.tensors()["b"].dtype, "Q8_0");
}

#[test]
fn a_file_cut_at_any_byte_is_truncated() {
    let whole = Written::sound().bytes();
    for length in 0..whole.len() {
        assert!(matches!(damage(&whole[..length]), Damage::Truncated { .. }), "{length}");
    }
}

#[test]
fn absurd_counts_and_lengths_are_refused_without_allocating() {
    let whole = Written::sound().bytes();
    for at in [8, 16, 24] {
        let mut bytes = whole.clone();
        bytes[at..at + 8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
        assert!(matches!(damage(&bytes), Damage::Truncated { .. }), "{at}");
    }
    let long_list = [&0u32.to_le_bytes()[..], &(1u64 << 40).to_le_bytes()].concat();
    let mut written = Written::sound();
    written.entries.push(entry("list", 9, &long_list));
    assert!(matches!(damage(&written.bytes()), Damage::Unreadable { .. }));
}

#[test]
fn tensors_that_overlap_or_overflow_or_leave_the_file_are_named() {
    for bad in [
        tensor("bad", &[u64::MAX, 2], 0, 128),
        tensor("bad", &[1 << 62, 8], 0, 128),
        tensor("bad", &[64], 0, u64::MAX - 31),
        tensor("bad", &[31], 8, 128),
        tensor("bad", &[4], 99, 128),
        tensor("bad", &[4], 0, 129),
        tensor("bad", &[4, 0], 0, 128),
        tensor("bad", &[1; 5], 0, 128),
        tensor("bad", &[64], 0, 0),
    ] {
        let mut written = Written::sound();
        written.tensors.push(bad);
        written.data_bytes = 512;
        let found = damage(&written.bytes());
        assert!(matches!(&found, Damage::Tensor { .. }), "{found}");
    }
    let mut written = Written::sound();
    written.tensors.push(tensor("far", &[1 << 40], 0, 128));
    assert!(matches!(damage(&written.bytes()), Damage::Truncated { .. }));
}

#[test]
fn an_alignment_of_zero_or_a_key_given_twice_is_damage() {
    for value in [0u32, 3, 1 << 31] {
        let mut written = Written::sound();
        written.entries.push(entry("general.alignment", 4, &value.to_le_bytes()));
        assert!(matches!(damage(&written.bytes()), Damage::Unreadable { .. }), "{value}");
    }
    let mut written = Written::sound();
    written.entries.push(written.entries[0].clone());
    assert!(matches!(damage(&written.bytes()), Damage::Unreadable { .. }));
    let lists = [&9u32.to_le_bytes()[..], &1u64.to_le_bytes()].concat();
    written.entries[2] = entry("lists", 9, &lists);
    assert!(matches!(damage(&written.bytes()), Damage::Unreadable { .. }));
}

fn with_tokenizer(kind: &str, pre: &str, tokens: &[&str], extra: Vec<u8>) -> Written {
    let texts = |texts: &[&str]| texts.iter().map(|t| text(t)).collect::<Vec<_>>();
    let kinds: Vec<Vec<u8>> = tokens
        .iter()
        .map(|token| if token.starts_with("<|") { 3i32 } else { 1 }.to_le_bytes().to_vec())
        .collect();
    let mut written = Written::sound();
    written.entries.extend([
        entry("tokenizer.ggml.model", 8, &text(kind)),
        entry("tokenizer.ggml.pre", 8, &text(pre)),
        list("tokenizer.ggml.tokens", 8, &texts(tokens)),
        list("tokenizer.ggml.token_type", 5, &kinds),
        extra,
    ]);
    written
}

fn merges(pairs: &[&str]) -> Vec<u8> {
    list("tokenizer.ggml.merges", 8, &pairs.iter().map(|p| text(p)).collect::<Vec<_>>())
}

#[test]
fn a_byte_level_tokenizer_merges_text_and_finds_control_tokens() {
    let tokens = ["a", "b", "ab", "Ġ", "Ġab", "<|end|>", "<", "|", "1"];
    for pre in ["llama-bpe", "qwen2", "smollm", "gpt-2"] {
        let file = open(&with_tokenizer("gpt2", pre, &tokens, merges(&["a b", "Ġ ab"])).bytes()).unwrap();
        let tokenizer = file.tokenizer().unwrap();
        assert_eq!(tokenizer.bare_ids("ab ab<|end|>11").unwrap(), [2, 4, 5, 8, 8], "{pre}");
        assert_eq!(tokenizer.text(&[2, 4, 5]), "ab ab");
    }
}

#[test]
fn a_sentencepiece_tokenizer_merges_by_score_and_falls_back_to_bytes() {
    let tokens = ["<unk>", "▁", "a", "b", "ab", "▁ab", "<0xC3>", "<0xA9>"];
    let scores: Vec<Vec<u8>> = (0..tokens.len()).map(|i| (-(i as f32)).to_le_bytes().to_vec()).collect();
    let scores = list("tokenizer.ggml.scores", 6, &scores);
    let tokenizer =
        open(&with_tokenizer("llama", "default", &tokens, scores).bytes()).unwrap().tokenizer().unwrap();
    let ids = tokenizer.bare_ids("ab abé").unwrap();
    assert_eq!(ids, [5, 5, 6, 7]);
    assert_eq!(tokenizer.text(&ids), "ab abé");
}

#[test]
fn a_tokenizer_that_is_missing_or_broken_is_an_error_that_says_so() {
    let missing = open(&Written::sound().bytes()).unwrap().tokenizer().unwrap_err();
    assert!(missing.to_string().contains("tokenizer.ggml.model"), "{missing}");
    for (kind, pre, tokens, pairs, said) in [
        ("gpt2", "new-thing", vec!["a"], vec![], "new-thing"),
        ("bert", "default", vec!["a"], vec![], "bert"),
        ("gpt2", "default", vec!["a", "a"], vec![], "twice"),
        ("gpt2", "default", vec!["a"], vec!["a"], "merge"),
        ("gpt2", "default", vec!["a"], vec!["a b"], "b"),
        ("llama", "default", vec!["a"], vec![], "scores"),
    ] {
        let error = open(&with_tokenizer(kind, pre, &tokens, merges(&pairs)).bytes())
            .unwrap()
            .tokenizer()
            .unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

proptest! {
    #[test]
    fn no_flipped_byte_makes_it_panic(at in 0usize..1000, value: u8) {
        let mut bytes = with_tokenizer("gpt2", "qwen2", &["a", "b", "ab"], merges(&["a b"])).bytes();
        let at = at % bytes.len();
        bytes[at] = value;
        if let Ok(file) = open(&bytes) {
            let _ = file.tokenizer();
        }
    }
}
