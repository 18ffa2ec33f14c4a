//! A document as a line of JSON, and back.

use std::ops::Range;

use postil_storage::{DocumentWrite, Metadata, PassageWrite, Value};

use super::invalid::Invalid;

/// Parts of a passage that a line holds beside its ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// Nothing more: its text is a range of the document's.
    Nothing,
    /// The row of its vector in an array.
    Row(u64),
    /// Its text.
    Text,
    /// Its text and its vector.
    TextAndVector,
}

/// Makes an object of fields.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Metadata {
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The line of a document; `Parts::Row` is the row of its first passage. An error names a passage
/// that has no text.
pub(super) fn to_json(document: &DocumentWrite, parts: Parts) -> Result<Metadata, Invalid> {
    let range = |range: &Range<u64>| Value::from(vec![range.start, range.end]);
    let passages = document.passages.iter().enumerate().map(|(at, passage)| {
        let mut line = object([
            ("range", range(&passage.source_range)),
            ("text_range", range(&passage.range)),
            ("heading", passage.heading.as_str().into()),
        ]);
        let mut add = |name: &str, value: Value| line.insert(name.to_owned(), value);
        if !passage.lead.is_empty() {
            add("lead", range(&passage.lead));
        }
        if let Parts::Row(first) = parts {
            add("vector", (first + at as u64).into());
        }
        if matches!(parts, Parts::Text | Parts::TextAndVector) {
            let text = passage.text(&document.text);
            let text =
                text.ok_or_else(|| format!("passage {at} of {:?} is no range of its text", document.key))?;
            add("text", text.into_owned().into());
        }
        if parts == Parts::TextAndVector {
            let components = passage.vector.iter().map(|&component| f64::from(component));
            add("vector", components.collect::<Vec<_>>().into());
        }
        Ok(Value::Object(line))
    });
    Ok(object([
        ("id", document.key.as_str().into()),
        ("title", document.title.as_str().into()),
        ("text", document.text.as_str().into()),
        ("metadata", document.metadata.clone().into()),
        ("content_hash", hex::encode(document.content_hash).into()),
        ("source_map", hex::encode(&document.source_map).into()),
        ("passages", Value::List(passages.collect::<Result<_, Invalid>>()?)),
    ]))
}

/// The document of a line, with the vectors in the line, and the array rows of the others. An error
/// says what is wrong.
pub(super) fn from_json(mut line: Metadata) -> Result<(DocumentWrite, Vec<Option<u64>>), Invalid> {
    let missing = |name: &str, kind: &str| Invalid::from(format!("field {name:?} is missing or no {kind}"));
    let mut text = |name: &str| match line.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(missing(name, "string")),
    };
    let bytes = |name: &str, text: String| {
        hex::decode(text).map_err(|_| format!("field {name:?} is not hexadecimal"))
    };
    let (key, title, whole_text) = (text("id")?, text("title")?, text("text")?);
    let content_hash = bytes("content_hash", text("content_hash")?)?
        .try_into()
        .map_err(|_| "field \"content_hash\" has not 32 bytes")?;
    let source_map = bytes("source_map", text("source_map")?)?;
    let Some(Value::Object(metadata)) = line.remove("metadata") else {
        return Err(missing("metadata", "object"));
    };
    let passages =
        line.get("passages").and_then(Value::as_list).ok_or_else(|| missing("passages", "list"))?;
    let rows = passages.iter().map(|passage| passage.get("vector").and_then(Value::as_u64)).collect();
    let passages = passages.iter().map(passage).collect::<Result<_, _>>()?;
    let text = whole_text;
    Ok((DocumentWrite { key, title, text, content_hash, metadata, source_map, passages }, rows))
}

fn passage(line: &Value) -> Result<PassageWrite, Invalid> {
    let range = |name: &str| match line.get(name).and_then(Value::as_list) {
        Some([start, end]) => start.as_u64().zip(end.as_u64()).map(|(start, end)| start..end),
        _ => None,
    };
    let needed = |name: &str| range(name).ok_or_else(|| format!("field {name:?} is no range"));
    // Before 0.2 this field was named like a document's title.
    let heading = line.get("heading").or_else(|| line.get("title")).and_then(Value::as_str);
    let vector = match line.get("vector") {
        Some(Value::List(components)) => {
            let components =
                components.iter().map(|component| component.as_f64().map(|number| number as f32));
            components.collect::<Option<_>>().ok_or("field \"vector\" has what is no number")?
        }
        _ => Vec::new(),
    };
    Ok(PassageWrite {
        range: needed("text_range")?,
        source_range: needed("range")?,
        lead: if line.get("lead").is_some_and(|lead| *lead != Value::Null) { needed("lead")? } else { 0..0 },
        places: Vec::new(),
        heading: heading.ok_or("field \"heading\" is missing or no string")?.to_owned(),
        vector,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use postil_storage::json;

    fn document() -> DocumentWrite {
        DocumentWrite {
            key: "k".into(),
            title: "t\n".into(),
            text: "häuser".into(),
            content_hash: [200; 32],
            metadata: json::read_object(
                r#"{"whole": -9223372036854775808, "big": 18446744073709551615, "huge": 12345678901234567890123,
                    "float": 2.0, "truth": true, "none": [], "text": "\u001b", "null": null, "deep": {"a": [1, {}]}}"#,
            )
            .unwrap(),
            source_map: vec![0, 255],
            passages: vec![PassageWrite {
                range: 0..3,
                source_range: 4..9,
                lead: 3..4,
                places: Vec::new(),
                heading: "p".into(),
                vector: vec![0.1, -0.0, f32::MIN_POSITIVE],
            }],
        }
    }

    #[test]
    fn a_document_comes_back_from_its_line() {
        let mut bare = document();
        bare.passages[0].vector.clear();
        for (parts, expected, row) in [
            (Parts::Nothing, &bare, None),
            (Parts::Row(7), &bare, Some(7)),
            (Parts::Text, &bare, None),
            (Parts::TextAndVector, &document(), None),
        ] {
            let line = json::object_text(&to_json(&document(), parts).unwrap());
            let read = from_json(json::read_object(&line).unwrap()).unwrap();
            assert_eq!(read, (expected.clone(), vec![row]), "{parts:?}");
        }
    }

    #[test]
    fn a_line_that_is_no_document_says_why() {
        let good =
            to_json(&DocumentWrite::row("k", vec![1.0], Metadata::new()), Parts::TextAndVector).unwrap();
        assert!(from_json(good.clone()).is_ok());
        for (field, value) in [
            ("id", "3"),
            ("metadata", "[]"),
            ("content_hash", "\"00\""),
            ("source_map", "\"0g\""),
            ("passages", "{}"),
            ("passages", "[{\"range\": [1], \"text_range\": [0, 0], \"heading\": \"\"}]"),
            ("passages", "[{\"range\": [0, 0], \"text_range\": [0, 0]}]"),
            (
                "passages",
                "[{\"range\": [0, 0], \"text_range\": [0, 0], \"heading\": \"\", \"vector\": [null]}]",
            ),
        ] {
            let mut line = good.clone();
            line.insert(field.to_owned(), json::read(value).unwrap());
            assert!(from_json(line).is_err(), "{field} {value}");
        }
    }
}
