use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a configuration, in which a null field means the same as an absent one: the default, as in
/// published models.
///
/// # Errors
/// The field and what is wrong with it.
pub fn settings<T: DeserializeOwned>(mut value: Value) -> Result<T, String> {
    drop_nulls(&mut value);
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = error.path().to_string();
        match field.as_str() {
            "." => error.into_inner().to_string(),
            field => format!("{field}: {}", error.inner()),
        }
    })
}

/// A special token in a tokenizer's configuration.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum TokenSetting {
    /// The token's text.
    Content(String),
    /// The token's text, with other fields that say how it is matched.
    Described {
        /// The token's text.
        content: String,
    },
}

impl From<TokenSetting> for String {
    fn from(token: TokenSetting) -> Self {
        match token {
            TokenSetting::Content(content) | TokenSetting::Described { content } => content,
        }
    }
}

/// Removes every null field at any depth; nulls in lists stay, so that positions do not change.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        #[serde(default)]
        size: usize,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Config {
        name: String,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[test]
    fn a_null_has_the_default_however_deep_it_is() {
        let config: Config = settings(json!({"name": "n", "inner": [{"size": null}, {"size": 3}]})).unwrap();
        assert_eq!(config, Config { name: "n".into(), inner: vec![Inner { size: 0 }, Inner { size: 3 }] });
        assert_eq!(settings::<Config>(json!({"name": "n", "inner": null})).unwrap().inner, []);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_field_it_is_in() {
        let said = |value| settings::<Config>(value).unwrap_err();
        assert_eq!(said(json!({"name": 7})), "name: invalid type: integer `7`, expected a string");
        let deep = said(json!({"name": "n", "inner": [{"size": "big"}]}));
        assert_eq!(deep, "inner[0].size: invalid type: string \"big\", expected usize");
        assert_eq!(said(json!({"name": null})), "missing field `name`");
        assert!(said(json!(null)).starts_with("invalid type: null"));
    }
}
