use crate::ReaderGenerator;

/// Words of the tiny vocabulary, after five special tokens.
const WORDS: [&str; 27] = [
    "the", "cat", "sat", "on", "mat", "dog", "##s", "##ing", "how", "many", "days", ":", ".", "?", "1", ",",
    "000", "[", "]", "sep", "red", "blue", "leave", "is", "a", "of", "twenty",
];
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[unused1]", "[CLS]", "[SEP]"];
pub(super) const VOCABULARY: usize = 32;
pub(super) const NO_ANSWER: u32 = 2;
pub(super) const END: u32 = 4;

pub(super) const CONFIG: &str = r#"{"model_type": "postil-reader", "vocab_size": 32, "hidden_size": 8,
    "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 40,
    "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "gate_size": 6,
    "gates": ["end", "no_answer", "generate", "point", "continue"], "decoder_start_token_id": 3,
    "eos_token_id": 4, "no_answer_token_id": 2, "max_question_tokens": 8, "max_title_tokens": 4,
    "max_input_tokens": 40, "max_answer_tokens": 6}"#;

pub(super) fn tokenizer() -> String {
    let all = SPECIAL.iter().chain(&WORDS).enumerate();
    let vocabulary: Vec<String> = all.map(|(id, word)| format!("\"{word}\": {id}")).collect();
    let special = [0, 1, 3, 4].map(|id| {
        format!(
            r#"{{"id": {id}, "content": "{}", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true}}"#,
            SPECIAL[id]
        )
    });
    format!(
        r###"{{"version": "1.0", "added_tokens": [{}], "normalizer": {{"type": "BertNormalizer",
        "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}},
        "pre_tokenizer": {{"type": "BertPreTokenizer"}}, "post_processor": null, "decoder": null,
        "model": {{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100, "vocab": {{{}}}}}}}"###,
        special.join(", "),
        vocabulary.join(", ")
    )
}

/// Named tensors: shape, and values or, for the words, int8 codes.
pub(super) struct Tensors(pub(super) Vec<(String, Vec<usize>, Vec<f32>)>);

impl Tensors {
    /// Fixed weights that look random, in -0.8..0.8.
    pub(super) fn new() -> Self {
        let mut named: Vec<(String, Vec<usize>)> = Vec::new();
        let mut add = |name: &str, shape: &[usize]| named.push((name.to_owned(), shape.to_vec()));
        add("embeddings.word_embeddings.codes", &[VOCABULARY, 8]);
        add("embeddings.word_embeddings.scale", &[VOCABULARY]);
        add("embeddings.position_embeddings.weight", &[40, 8]);
        add("embeddings.token_type_embeddings.weight", &[2, 8]);
        let mut linear = |name: &str, outputs: usize, inputs: usize| {
            add(&format!("{name}.weight"), &[outputs, inputs]);
            add(&format!("{name}.bias"), &[outputs]);
        };
        for part in ["query", "key", "value"] {
            linear(&format!("encoder.layer.0.attention.self.{part}"), 8, 8);
        }
        linear("encoder.layer.0.attention.output.dense", 8, 8);
        linear("encoder.layer.0.intermediate.dense", 12, 8);
        linear("encoder.layer.0.output.dense", 8, 12);
        linear("decoder.initial", 8, 8);
        linear("decoder.point", 8, 8);
        linear("decoder.gate_hidden", 6, 40);
        linear("decoder.gate", 5, 6);
        linear("decoder.generate", 8, 16);
        for norm in ["embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"] {
            add(&format!("{norm}.LayerNorm.weight"), &[8]);
            add(&format!("{norm}.LayerNorm.bias"), &[8]);
        }
        for (kind, inputs) in [("ih", 16), ("hh", 8)] {
            add(&format!("decoder.cell.weight_{kind}"), &[24, inputs]);
            add(&format!("decoder.cell.bias_{kind}"), &[24]);
        }
        add("decoder.start", &[8]);
        add("decoder.generate_bias", &[VOCABULARY]);
        let mut seed = 7u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 24) as f32 * 1.6 - 0.8
        };
        let filled = |(name, shape): (String, Vec<usize>)| {
            let mut values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
            match name.as_str() {
                "embeddings.word_embeddings.codes" => {
                    values.iter_mut().for_each(|v| *v = (*v * 150.0).round());
                }
                "embeddings.word_embeddings.scale" => values.fill(1.0 / 127.0),
                "decoder.generate_bias" => values[..SPECIAL.len()].fill(-1e4),
                _ => {}
            }
            (name, shape, values)
        };
        Self(named.into_iter().map(filled).collect())
    }

    pub(super) fn get(&mut self, name: &str) -> &mut (String, Vec<usize>, Vec<f32>) {
        self.0.iter_mut().find(|(known, ..)| known == name).unwrap()
    }

    /// The tensors as a safetensors file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let (mut entries, mut data) = (Vec::new(), Vec::new());
        for (name, shape, values) in &self.0 {
            let from = data.len();
            let dtype = if name.ends_with("codes") { "I8" } else { "F32" };
            match dtype {
                "I8" => data.extend(values.iter().map(|value| (*value as i8).cast_unsigned())),
                _ => data.extend(values.iter().flat_map(|value| value.to_le_bytes())),
            }
            let to = data.len();
            entries.push(format!(
                r#""{name}": {{"dtype": "{dtype}", "shape": {shape:?}, "data_offsets": [{from}, {to}]}}"#
            ));
        }
        let json = format!("{{{}}}", entries.join(", "));
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json.as_bytes());
        bytes.extend(data);
        bytes
    }
}

pub(super) fn reader() -> ReaderGenerator {
    ReaderGenerator::from_bytes(CONFIG.as_bytes(), tokenizer().as_bytes(), Tensors::new().bytes()).unwrap()
}
