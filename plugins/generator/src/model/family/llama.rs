use serde_json::json;

use super::entry::{Family, default_to, nothing};

/// Llama, and SmolLM, which is one.
pub(super) const LLAMA: Family = Family {
    name: "llama",
    architecture: Some("llama"),
    paired: true,
    parts: &[],
    end: Some(2),
    complete: |fields| {
        default_to(
            fields,
            json!({"vocab_size": 32_000, "intermediate_size": 11_008, "max_position_embeddings": 2_048}),
        );
    },
    of_gguf: nothing,
};
