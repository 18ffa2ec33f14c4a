use postil_contract::TokenId;
use serde_json::{Map, Value};

/// Fields of a configuration.
pub(crate) type Fields = Map<String, Value>;

/// Numbers in the metadata of a GGUF file by name; `None` for one that is absent.
pub(crate) type Numbers<'a> = dyn Fn(&str) -> Option<f64> + 'a;

/// A family of decoder-only models.
pub(crate) struct Family {
    /// The `model_type` of its configurations.
    pub(crate) name: &'static str,
    /// The `general.architecture` of its GGUF files; `None` when they are stored as another
    /// family's.
    pub(crate) architecture: Option<&'static str>,
    /// True when GGUF files store rows (i) and (i + head/2) of queries and keys side by side.
    pub(crate) paired: bool,
    /// Parts of a layer whose names in GGUF files differ from Llama's: published name, GGUF name.
    pub(crate) parts: &'static [(&'static str, &'static str)],
    /// Token that ends an answer when the configuration names none; `None` when transformers has no
    /// default.
    pub(in crate::model) end: Option<TokenId>,
    /// Adds the family's defaults, and the fields that say how it differs.
    pub(in crate::model) complete: fn(&mut Fields),
    /// Fields of the configuration of a GGUF file, from the numbers in its metadata by their names
    /// without the architecture.
    pub(crate) of_gguf: fn(&Numbers<'_>) -> Fields,
}

/// Adds the fields that are absent.
pub(super) fn default_to(fields: &mut Fields, defaults: Value) {
    let Value::Object(defaults) = defaults else { return };
    for (name, value) in defaults {
        fields.entry(name).or_insert(value);
    }
}

/// No fields of its own.
pub(super) fn nothing(_: &Numbers<'_>) -> Fields {
    Fields::new()
}

/// The fields of an object that are not null.
pub(super) fn fields(object: Value) -> Fields {
    let Value::Object(fields) = object else { return Fields::new() };
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// Limits the positions to a sliding window: within it the window hides nothing, so that it need
/// not be computed.
pub(super) fn within_window(fields: &mut Fields) {
    if let Some(window) = fields.get("sliding_window").filter(|window| window.is_u64()).cloned() {
        fields.insert("window".to_owned(), window);
    }
}
