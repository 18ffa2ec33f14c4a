use serde_json::json;

use super::entry::{Family, default_to, nothing, within_window};

/// Mistral: Llama with a sliding window in its first version. Its GGUF files are Llama's.
pub(super) const MISTRAL: Family = Family {
    name: "mistral",
    architecture: None,
    paired: true,
    parts: &[],
    end: Some(2),
    complete: |fields| {
        // An absent window is the default; null, as later versions have it, is none.
        let defaults = json!({
            "vocab_size": 32_000, "intermediate_size": 14_336, "num_key_value_heads": 8,
            "max_position_embeddings": 131_072, "sliding_window": 4_096,
        });
        default_to(fields, defaults);
        within_window(fields);
    },
    of_gguf: nothing,
};
