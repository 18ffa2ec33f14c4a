//! The question of a conversation: the text of its last message by the user.

use serde::Deserialize;
use serde_json::Value;

use crate::Failure;

/// A message of a conversation.
#[derive(Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    role: String,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type", default)]
    kind: String,
    text: Option<String>,
}

/// Text of the last message by the user.
pub(super) fn of(messages: &[Message]) -> Result<String, Failure> {
    let last = messages.iter().rev().find(|message| message.role == "user");
    let last = last.ok_or_else(|| Failure::input("there is no message with the role \"user\""))?;
    match &last.content {
        None => Err(Failure::input("the last message of the user has no content")),
        Some(Content::Text(text)) => Ok(text.clone()),
        Some(Content::Parts(parts)) => {
            let text = |part: &Part| match (part.kind.as_str(), &part.text) {
                ("text" | "input_text", Some(text)) => Ok(text.clone()),
                (kind, _) => Err(Failure::input(format!("parts of type {kind:?} are not read; text is"))),
            };
            Ok(parts.iter().map(text).collect::<Result<Vec<_>, _>>()?.join("\n"))
        }
    }
}

/// Refuses what is not supported: a field that is there and has none of the values that mean nothing.
pub(super) fn refuse(fields: &[(&str, &Option<Value>, &[Value])]) -> Result<(), Failure> {
    for (name, given, harmless) in fields {
        let Some(value) = given else { continue };
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty && !harmless.contains(value) {
            return Err(Failure::input(format!("{name} is not supported; leave it out")));
        }
    }
    Ok(())
}
