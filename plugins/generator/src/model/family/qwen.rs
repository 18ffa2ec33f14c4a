use serde_json::json;

use super::entry::{Family, Fields, default_to, nothing};

/// Qwen2: biases on queries, keys and values.
pub(super) const QWEN2: Family = Family {
    name: "qwen2",
    architecture: Some("qwen2"),
    paired: false,
    parts: &[],
    end: None,
    complete,
    of_gguf: nothing,
};

/// Qwen3: queries and keys are normalized per head before rotation.
pub(super) const QWEN3: Family = Family { name: "qwen3", architecture: Some("qwen3"), ..QWEN2 };

fn complete(fields: &mut Fields) {
    default_to(
        fields,
        json!({"vocab_size": 151_936, "intermediate_size": 22_016, "max_position_embeddings": 32_768}),
    );
}
