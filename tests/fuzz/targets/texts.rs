//! Documents of all kinds: every part of a text stands where the offset map says, and every chunk
//! is a part of the text.

use super::target;
use postil::HashEncoder;
use postil::chunk::{ChunkOptions, chunk_extracted};
use postil::extract::{Extracted, Kind, OffsetMap, extract, jsonl};
use postil_hostile::Target;
use std::io::BufReader;

const HTML: [&str; 5] = [
    "<!doctype html><html><head><title>T &amp; t</title><style>p{}</style></head><body><h1>A</h1><p>One <b>two</b>\
     <br>three &#8212; &#x9b; &nbsp;</p><script>if (a < b) { alert('</p>') }</script></body></html>",
    "<ul><li>a<ul><li>b</li></ul></li></ul><table><tr><th>x<td>1</table><pre>  code\n  more</pre>",
    "<p>unclosed <a href='x\"y'>link <!-- comment -- > --> <![CDATA[ c ]]> <textarea><p></textarea>",
    "<div><div><div><blockquote><h2>deep</h2></blockquote></div></div></div>&notin;&not;in;&#0;&#xd800;&#99999999;",
    "\u{feff}<template><svg><math><mi>é</mi></math></svg></template><noscript>n</noscript><select><option>o",
];
pub(crate) const HTML_WORDS: [&str; 18] = [
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&",
    ";",
    "&#x",
    "<p>",
    "<div>",
    "<pre>",
    "</pre>",
    "<script>",
    "<title>",
    "<li>",
];
const MARKDOWN: [&str; 5] = [
    "---\ntitle: x\n---\n# A\n\nOne sentence. Another one; with a clause, and more!\n\n## B\n\n- a\n  - b\n\n1. c\n",
    "| a | b |\n|---|---|\n| 1 | `2` |\n\n```rust\nfn main() {}\n```\n\n    indented\n\n> quote\n>> deeper\n",
    "Setext\n===\n\nTwo\n---\n\n[link][ref] ![i](u \"t\") <b>html</b> **bold *it*** ~~s~~\n\n[ref]: /url 'title'\n",
    "Dr. Smith paid 3.5 e.g. in U.S. dollars.\r\n\r\nNext?\u{2029}「日本語。次。」 ok…\n\n* * *\n",
    "# h\n## h\n### h\n#### h\n##### h\n###### h\ntext\n[^1]: note\n\n<details>\n\nx\n\n</details>\n",
];
pub(crate) const MARKDOWN_WORDS: [&str; 16] =
    ["# ", "\n\n", "\n", "```", "~~~", "- ", "> ", "|", "|---|", "[", "](", "*", "_", "    ", "<b>", "---\n"];
const JSONL: [&str; 4] = [
    "{\"id\": 1, \"text\": \"one\", \"title\": \"t\", \"year\": 2024}\n\n{\"_id\": \"x\", \"text\": \"\\u00e9\\ud83d\\ude00\"}\n",
    "{\"id\":\"a\",\"text\":\"b\",\"tags\":[\"x\",\"y\"],\"deep\":{\"a\":[1,2,{\"b\":null}]},\"f\":1e308,\"n\":null}\r\n",
    "\u{feff}{\"doc_id\": 5, \"text\": \"t\"}\n{\"text\": \"no id\"}\nnot json\n[1,2]\n\"text\"\n",
    "{\"id\":18446744073709551615,\"text\":\"\",\"x\":-0.0}\n{\"id\":1,\"id\":2,\"text\":\"twice\"}",
];
pub(crate) const JSONL_WORDS: [&str; 12] =
    ["{", "}", "[", "]", "\"id\":", "\"text\":", "\n", "\\u", "\\ud800", "null", "1e999", ","];

/// The parts of a text that a map gives places of are inside the source, and in order.
fn assert_places(extracted: &Extracted, source: &[u8]) {
    let text = &extracted.text;
    let mut last = 0;
    for (at, c) in text.char_indices() {
        let place = extracted.map.source_range(at..at + c.len_utf8());
        assert!(place.start <= place.end && place.end <= source.len(), "{place:?}");
        assert!(place.start >= last, "{place:?} after {last}");
        last = place.start;
    }
    let map = OffsetMap::from_bytes(&extracted.map.to_bytes()).unwrap();
    assert_eq!(map, extracted.map);
}

fn assert_chunks(extracted: &Extracted) {
    let text = &extracted.text;
    let encoder = HashEncoder::default();
    for options in [
        ChunkOptions { max_tokens: 12, overlap_sentences: 1 },
        ChunkOptions { max_tokens: 200, overlap_sentences: 2 },
    ] {
        // Some text has no room in a small window: that is an error, and has to be one.
        let Ok(chunks) = chunk_extracted(extracted, &options, &encoder) else { continue };
        for chunk in &chunks {
            assert!(!text[chunk.range.clone()].trim().is_empty());
            assert!(text[chunk.lead.clone()].is_empty() || chunk.lead.end <= chunk.range.start);
        }
        assert!(chunks.is_sorted_by_key(|chunk| chunk.range.start));
    }
}

fn read(bytes: &[u8], kind: Kind) {
    // Most mutations are no UTF-8 any more, which is one check: what is behind it should see them
    // too.
    let lossy = String::from_utf8_lossy(bytes);
    let _ = extract(bytes, kind);
    let extracted = extract(lossy.as_bytes(), kind).unwrap();
    assert_places(&extracted, lossy.as_bytes());
    assert_chunks(&extracted);
}

/// HTML.
pub(crate) fn html() -> Target<'static> {
    target("html", &HTML, |bytes| read(bytes, Kind::Html)).words(&HTML_WORDS)
}

/// Markdown.
pub(crate) fn markdown() -> Target<'static> {
    target("markdown", &MARKDOWN, |bytes| read(bytes, Kind::Markdown)).words(&MARKDOWN_WORDS)
}

/// Plain text, which is split into chunks by sentences.
pub(crate) fn chunker() -> Target<'static> {
    target("chunker", &MARKDOWN, |bytes| read(bytes, Kind::Plain)).words(&MARKDOWN_WORDS)
}

/// JSON lines.
pub(crate) fn json_lines() -> Target<'static> {
    target("jsonl", &JSONL, |bytes| {
        let records = jsonl(BufReader::with_capacity(16, bytes)).max_line_bytes(400);
        let lines = bytes.split(|&byte| byte == b'\n').count();
        assert!(records.count() <= lines);
    })
    .words(&JSONL_WORDS)
}

/// The offset map of an extracted text.
pub(crate) fn offset_map() -> Target<'static> {
    let map = |html: &str| extract(html.as_bytes(), Kind::Html).unwrap().map.to_bytes();
    Target::new("offset_map", HTML.map(map), |bytes| {
        let Ok(map) = OffsetMap::from_bytes(bytes) else { return };
        let end = map.text_len();
        for range in [0..end, 0..0, end..end, end / 2..end, 0..end / 2] {
            let place = map.source_range(range);
            assert!(place.start <= place.end, "{place:?}");
        }
        assert_eq!(OffsetMap::from_bytes(&map.to_bytes()).unwrap(), map);
    })
}
