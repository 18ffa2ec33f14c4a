//! Tests of extraction.

mod html;
mod jsonl;
mod offset;
mod structure;

use std::path::Path;

use super::{ExtractError, FileKind, Kind, extract};

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
fn a_file_kind_goes_by_its_extension() {
    let of = |name: &str| FileKind::of(Path::new(name));
    assert_eq!(of("a.txt"), Some(FileKind::Document(Kind::Plain)));
    assert_eq!(of("a.b/c.MD"), Some(FileKind::Document(Kind::Markdown)));
    assert_eq!(of("a.markdown"), Some(FileKind::Document(Kind::Markdown)));
    assert_eq!(of("a.htm"), Some(FileKind::Document(Kind::Html)));
    assert_eq!(of("a.html"), Some(FileKind::Document(Kind::Html)));
    assert_eq!(of("a.jsonl"), Some(FileKind::Records));
    assert_eq!(of("a.pdf"), None);
    assert_eq!(of("README"), None);
}

#[test]
fn a_page_is_chunked_under_its_headings_and_leads_back_to_its_bytes() {
    let source =
        "<h1>Leave</h1><h2>Parents</h2><p>Parents get <b>30</b> days &amp; pay.</p><h2>Others</h2>None.";
    let page = extract(source.as_bytes(), Kind::Html).unwrap();
    let chunks = page.chunks(&crate::chunk::ChunkOptions::default(), &Letters);
    let found: Vec<_> = chunks
        .unwrap()
        .into_iter()
        .map(|chunk| (chunk.title, source[page.map.source_range(chunk.range)].to_owned()))
        .collect();
    let expected = [
        ("Leave > Parents", "Leave</h1><h2>Parents</h2><p>Parents get <b>30</b> days &amp; pay."),
        ("Leave > Others", "Others</h2>None."),
    ];
    assert_eq!(found, expected.map(|(title, part)| (title.to_owned(), part.to_owned())));
}

/// A token for each character.
struct Letters;

impl crate::chunk::TokenRanges for Letters {
    fn tokens(&self, text: &str) -> Result<Vec<std::ops::Range<usize>>, postil_contract::EncodeError> {
        Ok(text.char_indices().map(|(at, c)| at..at + c.len_utf8()).collect())
    }

    fn room(&self, title: &str) -> Result<usize, postil_contract::EncodeError> {
        Ok(256 - title.len())
    }
}
