//! A document as a line of JSON, and back.

use std::ops::Range;

use postil_storage::{DocumentWrite, Metadata, PassageWrite, Value as Field};
use serde_json::{Value, json};

/// The line of a document; its vectors are rows `first`, `first + 1`, ... of the array, if it has any.
pub(super) fn to_json(document: &DocumentWrite, first: Option<u64>) -> Value {
    let range = |range: &Range<u64>| json!([range.start, range.end]);
    let passages = document.passages.iter().enumerate().map(|(at, passage)| {
        let mut line = json!({
            "range": range(&passage.source_range), "text_range": range(&passage.range), "heading": passage.heading,
        });
        if !passage.lead.is_empty() {
            line["lead"] = range(&passage.lead);
        }
        if let Some(first) = first {
            line["vector"] = json!(first + at as u64);
        }
        line
    });
    json!({
        "id": document.key, "title": document.title, "text": document.text,
        "metadata": metadata_to_json(&document.metadata),
        "content_hash": hex(&document.content_hash), "source_map": hex(&document.source_map),
        "passages": passages.collect::<Vec<_>>(),
    })
}

/// The document of a line, its vectors still empty, and the rows they have in the array. An error says what is wrong.
pub(super) fn from_json(line: &Value) -> Result<(DocumentWrite, Vec<Option<u64>>), String> {
    let text = |value: &Value, name: &str| match &value[name] {
        Value::String(text) => Ok(text.clone()),
        _ => Err(format!("field {name:?} is missing or no string")),
    };
    let metadata = line["metadata"].as_object().ok_or("field \"metadata\" is missing or no object")?;
    let passages = line["passages"].as_array().ok_or("field \"passages\" is missing or no list")?;
    let bytes = |name: &str| unhex(&text(line, name)?).ok_or(format!("field {name:?} is not hexadecimal"));
    let mut document = DocumentWrite {
        key: text(line, "id")?,
        title: text(line, "title")?,
        text: text(line, "text")?,
        content_hash: bytes("content_hash")?
            .try_into()
            .map_err(|_| "field \"content_hash\" has not 32 bytes")?,
        metadata: Metadata::new(),
        source_map: bytes("source_map")?,
        passages: Vec::with_capacity(passages.len()),
    };
    for (name, value) in metadata {
        let value =
            field(value.clone()).ok_or_else(|| format!("metadata {name:?} is of no type there is"))?;
        document.metadata.insert(name.clone(), value);
    }
    let mut rows = Vec::with_capacity(passages.len());
    for passage in passages {
        let range = |name: &str| {
            let bounds = passage[name].as_array().filter(|bounds| bounds.len() == 2);
            let bound = |at: usize| bounds?[at].as_u64();
            bound(0).zip(bound(1)).map(|(start, end)| start..end).ok_or(format!("field {name:?} is no range"))
        };
        document.passages.push(PassageWrite {
            range: range("text_range")?,
            source_range: range("range")?,
            lead: if passage["lead"].is_null() { 0..0 } else { range("lead")? },
            // Before 0.2 its name was that of a document's title.
            heading: text(passage, "heading").or_else(|_| text(passage, "title"))?,
            vector: Vec::new(),
        });
        rows.push(passage["vector"].as_u64());
    }
    Ok((document, rows))
}

/// Metadata with the types JSON has for them.
pub fn metadata_to_json(metadata: &Metadata) -> Value {
    let fields = metadata.iter().map(|(name, value)| {
        let value = match value {
            Field::String(text) => json!(text),
            Field::Integer(number) => json!(number),
            Field::Float(number) => json!(number),
            Field::Bool(truth) => json!(truth),
            Field::Strings(items) => json!(items),
        };
        (name.clone(), value)
    });
    Value::Object(fields.collect())
}

/// A JSON value as metadata; `None` for what metadata has no type for.
pub(crate) fn field(value: Value) -> Option<Field> {
    match value {
        Value::String(text) => Some(Field::String(text)),
        Value::Bool(truth) => Some(Field::Bool(truth)),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Some(Field::Integer(integer)),
            None => number.as_f64().map(Field::Float),
        },
        Value::Array(items) => {
            let strings = items.into_iter().map(|item| match item {
                Value::String(text) => Some(text),
                _ => None,
            });
            strings.collect::<Option<Vec<String>>>().map(Field::Strings)
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back_from_its_line() {
        let document = DocumentWrite {
            key: "k".into(),
            title: "t\n".into(),
            text: "häuser".into(),
            content_hash: [200; 32],
            metadata: Metadata::from([
                ("whole".into(), Field::Integer(i64::MIN)),
                ("float".into(), Field::Float(2.0)),
                ("truth".into(), Field::Bool(true)),
                ("none".into(), Field::Strings(Vec::new())),
                ("text".into(), Field::String("\u{1b}".into())),
            ]),
            source_map: vec![0, 255],
            passages: vec![PassageWrite {
                range: 0..3,
                source_range: 4..9,
                lead: 1..2,
                heading: "p".into(),
                vector: Vec::new(),
            }],
        };
        let line = to_json(&document, Some(7)).to_string();
        let line = serde_json::from_str(&line).unwrap();
        assert_eq!(from_json(&line).unwrap(), (document.clone(), vec![Some(7)]));
        assert_eq!(from_json(&to_json(&document, None)).unwrap().1, vec![None]);
    }

    #[test]
    fn a_line_that_is_no_document_says_why() {
        let good = to_json(&DocumentWrite::row("k", vec![1.0], Metadata::new()), None);
        for (field, value) in [
            ("id", json!(3)),
            ("metadata", json!({"a": {}})),
            ("content_hash", json!("00")),
            ("source_map", json!("0g")),
            ("passages", json!([{"range": [1], "text_range": [0, 0], "title": ""}])),
        ] {
            let mut line = good.clone();
            line[field] = value;
            assert!(from_json(&line).is_err(), "{field}");
        }
    }
}
