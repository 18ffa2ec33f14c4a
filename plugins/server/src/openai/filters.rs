//! Filters of vector stores, in Postil's language.

use serde::Deserialize;
use serde_json::Value;

use crate::Failure;

/// A comparison, or several joined.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Filter {
    /// `and` or `or`.
    Joined {
        #[serde(rename = "type")]
        kind: String,
        filters: Vec<Filter>,
    },
    /// `eq`, `ne`, `gt`, `gte`, `lt`, `lte`, `in`, `nin`.
    Compared {
        #[serde(rename = "type")]
        kind: String,
        key: String,
        value: Value,
    },
}

/// The filter as an expression.
pub(super) fn text_of(filter: &Filter) -> Result<String, Failure> {
    match filter {
        Filter::Joined { kind, filters } => {
            if !matches!(kind.as_str(), "and" | "or") || filters.is_empty() {
                return Err(Failure::input(format!(
                    "a filter of type {kind:?} with filters is and/or of at least one"
                )));
            }
            let parts = filters.iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("({})", parts.join(&format!(" {kind} "))))
        }
        Filter::Compared { kind, key, value } => {
            let field = quoted(key, '`');
            let operator = match kind.as_str() {
                "eq" => "==",
                "ne" => "!=",
                "gt" => ">",
                "gte" => ">=",
                "lt" => "<",
                "lte" => "<=",
                "in" => return Ok(format!("{field} in {}", literal(value)?)),
                "nin" => return Ok(format!("not ({field} in {})", literal(value)?)),
                other => return Err(Failure::input(format!("a filter of type {other:?} is not supported"))),
            };
            Ok(format!("{field} {operator} {}", literal(value)?))
        }
    }
}

fn literal(value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(quoted(text, '"')),
        Value::Number(_) | Value::Bool(_) | Value::Null => Ok(value.to_string()),
        Value::Array(items) => {
            let items = items.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        Value::Object(_) => {
            Err(Failure::input("a filter compares with texts, numbers, booleans and lists of them"))
        }
    }
}

fn quoted(text: &str, quote: char) -> String {
    let mut out = String::from(quote);
    for character in text.chars() {
        if character == quote || character == '\\' {
            out.push('\\');
        }
        out.push(character);
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Result<String, Failure> {
        text_of(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn filters_are_joined_and_what_they_quote_stays_quoted() {
        let text = of(r#"{"type":"or","filters":[{"type":"gte","key":"year","value":2020},
                {"type":"and","filters":[{"type":"nin","key":"a`b","value":["x\"y",true]}]}]}"#);
        assert_eq!(text.unwrap(), r#"(`year` >= 2020 or (not (`a\`b` in ["x\"y", true])))"#);
        assert!(of(r#"{"type":"like","key":"a","value":1}"#).is_err());
        assert!(of(r#"{"type":"and","filters":[]}"#).is_err());
        assert!(of(r#"{"type":"eq","key":"a","value":{}}"#).is_err());
    }
}
