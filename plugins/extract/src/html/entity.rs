//! Character references, each with its place.
//!
//! The HTML tokenizer decodes references such as `&notit;` and `&#x80;`, run on the reference
//! alone: outside attributes its meaning does not depend on the text around it.

use std::convert::Infallible;
use std::ops::Range;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// Most letters of a named reference looked at; the longest name has 32.
const MAX_NAME_BYTES: usize = 40;

/// A part of a text between tags.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// As in the source.
    Verbatim(Range<usize>),
    /// Stands for a source range.
    Decoded(String, Range<usize>),
}

/// The parts of the source range `range`, in order.
pub(super) fn parts(source: &str, range: Range<usize>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = range.start;
    let mut at = range.start;
    while let Some(offset) = source[at..range.end].find('&') {
        let start = at + offset;
        let end = start + reference_len(&source[start..range.end]);
        let raw = &source[start..end];
        let decoded = if raw.len() > 2 { decode(raw) } else { raw.to_owned() };
        at = end;
        if decoded == raw {
            continue;
        }
        // "&notit;" is "¬" and then "it;" as it stands.
        let shared = raw.bytes().rev().zip(decoded.bytes().rev()).take_while(|(a, b)| a == b && a.is_ascii());
        let shared = shared.count().min(raw.len() - 2);
        let kept = decoded.len() - shared.min(decoded.len());
        if plain < start {
            parts.push(Part::Verbatim(plain..start));
        }
        plain = end - shared;
        parts.push(Part::Decoded(decoded[..kept].to_owned(), start..plain));
    }
    if plain < range.end {
        parts.push(Part::Verbatim(plain..range.end));
    }
    parts
}

/// Bytes from the ampersand on that can belong to one reference.
fn reference_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let numeric = bytes.get(1) == Some(&b'#');
    let start = if numeric { 2 } else { 1 };
    let limit = if numeric { usize::MAX } else { MAX_NAME_BYTES };
    let letters = bytes.iter().skip(start).take(limit).take_while(|b| b.is_ascii_alphanumeric()).count();
    let end = (start + letters).min(bytes.len());
    end + usize::from(bytes.get(end) == Some(&b';'))
}

fn decode(reference: &str) -> String {
    let mut decoded = Vec::new();
    let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        if let CallbackEvent::String { value } = event {
            decoded.extend_from_slice(value);
        }
        None
    });
    let Ok(()) = Tokenizer::new_with_emitter(reference, emitter).finish();
    String::from_utf8_lossy(&decoded).into_owned()
}
