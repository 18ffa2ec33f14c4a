use serde_json::json;

use super::entry::{Family, Fields, Numbers, default_to, fields, within_window};

/// Gemma 2 (arXiv 2408.00118): norms of 1 + weight, also behind attention and feed-forward, scaled
/// embeddings, and caps on the logits of attention and of tokens.
pub(super) const GEMMA2: Family = Family {
    name: "gemma2",
    architecture: Some("gemma2"),
    paired: false,
    parts: &PARTS,
    end: Some(1),
    complete: |fields| {
        default_to(
            fields,
            json!({
                "vocab_size": 256_000, "max_position_embeddings": 8_192,
                "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
            }),
        );
        complete(fields);
    },
    of_gguf: |number| {
        // The largest model scales queries by the width of a head of its embedding.
        let mut found = of_gguf(number, 46.0);
        found.extend(fields(json!({
            "attn_logit_softcapping": number("attn_logit_softcapping"),
            "final_logit_softcapping": number("final_logit_softcapping"),
        })));
        found
    },
};

/// Names of the norms in GGUF files.
pub(super) const PARTS: [(&str, &str); 3] = [
    ("post_attention_layernorm", "post_attention_norm"),
    ("pre_feedforward_layernorm", "ffn_norm"),
    ("post_feedforward_layernorm", "post_ffw_norm"),
];

/// Settings that Gemma 2 and Gemma 3 share.
pub(super) fn complete(fields: &mut Fields) {
    default_to(
        fields,
        json!({
            "hidden_size": 2_304, "intermediate_size": 9_216, "num_hidden_layers": 26, "num_attention_heads": 8,
            "num_key_value_heads": 4, "head_dim": 256, "query_pre_attn_scalar": 256, "sliding_window": 4_096,
            "hidden_activation": "gelu_pytorch_tanh", "norm_offset": 1.0, "post_norms": true,
        }),
    );
    // Gemma's `hidden_act` is not what it computes.
    let activation = fields.get("hidden_activation").cloned().unwrap_or_default();
    fields.insert("hidden_act".to_owned(), activation);
    if let Some(width) = fields.get("hidden_size").and_then(serde_json::Value::as_f64) {
        fields.insert("embedding_scale".to_owned(), json!(width.sqrt()));
    }
    within_window(fields);
}

/// Settings in the GGUF files of both. Their norms are stored as 1 + weight; a model of `largest`
/// blocks has queries of its own scale.
pub(super) fn of_gguf(number: &Numbers<'_>, largest: f64) -> Fields {
    let by_head = number("embedding_length").zip(number("attention.head_count")).map(|(w, heads)| w / heads);
    let scalar = match number("block_count") == Some(largest) {
        true => by_head,
        false => number("attention.key_length").or(by_head),
    };
    let window = number("attention.sliding_window").map(|window| window as u64);
    fields(json!({"norm_offset": 0.0, "query_pre_attn_scalar": scalar, "sliding_window": window}))
}
