//! Tests of extraction.

#[cfg(feature = "documents")]
mod documents;
mod html;
mod offset;

use crate::{ExtractError, Kind, extract};

#[test]
fn plain_text_is_its_own_text() {
    let text = "One.\r\nTwo ü.";
    for kind in [Kind::Plain, Kind::Markdown] {
        let extracted = extract(text.as_bytes(), kind).unwrap();
        assert_eq!(extracted.text, text);
        assert!(extracted.map.is_identity());
        assert_eq!(extracted.map.source_range(3..8), 3..8);
    }
}

#[test]
fn a_byte_order_mark_is_no_text_but_counts_in_offsets() {
    for kind in [Kind::Plain, Kind::Html] {
        let extracted = extract("\u{feff}abc".as_bytes(), kind).unwrap();
        assert_eq!(extracted.text, "abc");
        assert!(!extracted.map.is_identity());
        assert_eq!(extracted.map.source_range(1..3), 4..6);
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_an_error_with_their_place() {
    let error = extract(b"ab\xff", Kind::Plain).unwrap_err();
    assert!(matches!(error, ExtractError::NotUtf8 { at: 2 }));
}

#[test]
fn the_content_decides_before_the_name() {
    let page = extract(b"<!DOCTYPE html><title>T</title><p>One.", Kind::Plain).unwrap();
    assert_eq!((page.text.as_str(), page.title.as_deref()), ("One.", Some("T")));
}
