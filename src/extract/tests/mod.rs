//! Tests of extraction, with the chunks that come of it.

mod jsonl;
mod structure;

use std::path::Path;

use super::{FileKind, Kind, extract};

#[test]
fn a_file_kind_goes_by_its_extension() {
    let of = |name: &str| FileKind::of(Path::new(name));
    assert_eq!(of("a.txt"), Some(FileKind::Document(Kind::Plain)));
    assert_eq!(of("a.b/c.MD"), Some(FileKind::Document(Kind::Markdown)));
    assert_eq!(of("a.markdown"), Some(FileKind::Document(Kind::Markdown)));
    assert_eq!(of("a.htm"), Some(FileKind::Document(Kind::Html)));
    assert_eq!(of("a.html"), Some(FileKind::Document(Kind::Html)));
    assert_eq!(of("a.jsonl"), Some(FileKind::Records));
    assert_eq!(of("a.xyz"), None);
    #[cfg(feature = "documents")]
    assert_eq!(of("a.PDF"), Some(FileKind::Document(Kind::Pdf)));
    assert_eq!(of("README"), None);
}

#[test]
fn a_page_is_chunked_under_its_headings_and_leads_back_to_its_bytes() {
    let source =
        "<h1>Leave</h1><h2>Parents</h2><p>Parents get <b>30</b> days &amp; pay.</p><h2>Others</h2>None.";
    let page = extract(source.as_bytes(), Kind::Html).unwrap();
    let chunks = crate::chunk::chunk_extracted(&page, &crate::chunk::ChunkOptions::default(), &Letters);
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
