use serde_json::json;

use super::entry::{Family, default_to, fields, within_window};

/// Phi-3 (arXiv 2404.14219): queries, keys and values in one matrix, gate and expansion in another,
/// and rotary frequencies stretched for long texts.
pub(super) const PHI3: Family = Family {
    name: "phi3",
    architecture: Some("phi3"),
    paired: false,
    parts: &[("self_attn.qkv_proj", "attn_qkv"), ("mlp.gate_up_proj", "ffn_up")],
    end: Some(32_000),
    complete: |fields| {
        default_to(
            fields,
            json!({
                "vocab_size": 32_064, "hidden_size": 3_072, "intermediate_size": 8_192, "rms_norm_eps": 1e-5,
                "max_position_embeddings": 4_096, "original_max_position_embeddings": 4_096, "fused": true,
            }),
        );
        within_window(fields);
    },
    of_gguf: |number| {
        let count = |name| number(name).map(|count| count as u64);
        fields(json!({
            "sliding_window": count("attention.sliding_window"),
            "original_max_position_embeddings": count("rope.scaling.original_context_length"),
        }))
    },
};
