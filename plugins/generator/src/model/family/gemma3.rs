use serde_json::{Value, json};

use super::entry::{Family, Fields, default_to};
use super::gemma2;

/// Layers from one with full attention to the next, where the configuration does not say.
const PATTERN: u64 = 6;

/// Gemma 3 (arXiv 2503.19786), text only: Gemma 2 with norms of queries and keys in place of the
/// caps, and rotary positions of their own in the layers with a sliding window.
pub(super) const GEMMA3: Family = Family {
    name: "gemma3_text",
    architecture: Some("gemma3"),
    paired: false,
    parts: &gemma2::PARTS,
    end: Some(1),
    complete: |fields| {
        default_to(
            fields,
            json!({
                "vocab_size": 262_208, "max_position_embeddings": 131_072, "rope_theta": 1e6,
                "rope_local_base_freq": 1e4,
            }),
        );
        gemma2::complete(fields);
        layers(fields);
    },
    of_gguf: |number| gemma2::of_gguf(number, 62.0),
};

/// Adds the kind of each layer: one in `sliding_window_pattern` has full attention.
fn layers(fields: &mut Fields) {
    let number = |name: &str| fields.get(name).and_then(Value::as_u64);
    let pattern = number("sliding_window_pattern").or(number("_sliding_window_pattern"));
    let pattern = pattern.unwrap_or(PATTERN).max(1);
    // A count that no checkpoint has is refused when the layers are loaded.
    let count = number("num_hidden_layers").unwrap_or(0).min(MAX_LAYERS);
    let kind = |i: u64| if (i + 1).is_multiple_of(pattern) { "full_attention" } else { "sliding_attention" };
    let kinds: Vec<&str> = (0..count).map(kind).collect();
    default_to(fields, json!({ "layer_types": kinds }));
}

/// Largest number of layers whose kinds are listed; published models have 62.
const MAX_LAYERS: u64 = 4_096;
