//! XML as a stream of tags and text.
//!
//! Entities are those of XML itself; those that a document declares are not looked up, so that no
//! file is read and no text multiplied. Nothing here recurses: a document nests as deep as it likes.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::error::ExtractError;
use crate::reader::Budget;

/// Events between two looks at the clock.
const EVENTS: usize = 4096;
/// Deepest nesting that is read.
const MAX_DEPTH: usize = 10_000;

/// A tag, without the prefix of its namespace.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute, by its name without prefix.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of the last attribute of this name: the one with a prefix, where both are there.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        self.attributes.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a number.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    fn of(start: &BytesStart<'_>) -> Self {
        let mut attributes = start.attributes();
        let attributes = attributes.with_checks(false).flatten().map(|attribute| {
            let value = attribute.value.into_owned();
            let value =
                quick_xml::escape::unescape(&value).map(std::borrow::Cow::into_owned).unwrap_or(value);
            (attribute.key.local_name().as_ref().to_owned(), value)
        });
        Self { name: start.local_name().as_ref().to_owned(), attributes: attributes.collect() }
    }
}

/// A step through a document.
#[derive(Debug)]
pub(crate) enum Step {
    Open(Tag),
    Close(String),
    Text(String),
}

/// Calls `step` for everything in a document, in order. Text that is damaged ends it, with an error
/// when nothing came before.
pub(crate) fn walk(
    part: &str,
    bytes: &[u8],
    budget: &Budget,
    mut step: impl FnMut(Step) -> Result<(), ExtractError>,
) -> Result<(), ExtractError> {
    let decoded = utf8(bytes);
    let mut reader = Reader::from_str(&decoded);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let (mut depth, mut count) = (0_usize, 0_usize);
    loop {
        count += 1;
        if count.is_multiple_of(EVENTS) {
            budget.time()?;
        }
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(ExtractError::damaged(part, &format!("it nests deeper than {MAX_DEPTH}")));
                }
                step(Step::Open(Tag::of(&start)))?;
            }
            Ok(Event::Empty(start)) => {
                let tag = Tag::of(&start);
                let name = tag.name.clone();
                step(Step::Open(tag))?;
                step(Step::Close(name))?;
            }
            Ok(Event::End(end)) => {
                depth = depth.saturating_sub(1);
                step(Step::Close(end.local_name().as_ref().to_owned()))?;
            }
            Ok(Event::Text(text)) => step(Step::Text((*text).to_owned()))?,
            Ok(Event::CData(text)) => step(Step::Text((*text).to_owned()))?,
            Ok(Event::GeneralRef(entity)) => {
                if let Some(text) = resolved(&entity) {
                    step(Step::Text(text))?;
                }
            }
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(error) if count < 4 => return Err(ExtractError::damaged(part, &error)),
            // What came before the damage is kept.
            Err(_) => return Ok(()),
        }
    }
}

/// The text of an entity of XML, or of a number.
fn resolved(entity: &str) -> Option<String> {
    let c = match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some(c.to_string())
}

/// XML in UTF-8 or UTF-16 as text.
fn utf8(bytes: &[u8]) -> String {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => String::from_utf16_lossy(&units(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => String::from_utf16_lossy(&units(rest, u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The relations of a part of Office Open XML: id, kind and target.
pub(crate) fn relations(
    bytes: &[u8],
    budget: &Budget,
) -> Result<Vec<(String, String, String)>, ExtractError> {
    let mut found = Vec::new();
    walk("relations", bytes, budget, |step| {
        if let Step::Open(tag) = step
            && tag.name == "Relationship"
            && tag.get("TargetMode") != Some("External")
        {
            let get = |name: &str| tag.get(name).unwrap_or("").to_owned();
            let kind = get("Type").rsplit('/').next().unwrap_or("").to_owned();
            found.push((get("Id"), kind, get("Target")));
        }
        Ok(())
    })?;
    Ok(found)
}

/// The path of the relations of a part.
pub(crate) fn relations_path(part: &str) -> String {
    match part.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/_rels/{name}.rels"),
        None => format!("_rels/{part}.rels"),
    }
}
