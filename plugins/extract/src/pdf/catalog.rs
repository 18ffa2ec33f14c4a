//! The labels that are printed on pages, and the titles of the document's outline.

use std::collections::HashMap;

use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Object, String as PdfString};

use super::flow::plain;
use super::strings::pdf_string;

/// Most titles of an outline, and most labels.
const MAX_ENTRIES: usize = 100_000;
/// Deepest nesting of an outline, or of a tree of labels.
const MAX_DEPTH: usize = 32;

/// Labels and titles that a document gives itself.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// Label of each page; empty when pages are only counted.
    pub(super) labels: Vec<String>,
    /// Level of each title, from 1, by its letters.
    pub(super) titles: HashMap<String, usize>,
}

pub(super) fn read(pdf: &Pdf) -> Catalog {
    let Some(root) = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id()) else { return Catalog::default() };
    let mut catalog = Catalog::default();
    if let Some(outline) = root.get::<Dict<'_>>(b"Outlines") {
        titles(&outline, 1, &mut catalog.titles);
    }
    if let Some(tree) = root.get::<Dict<'_>>(b"PageLabels") {
        let mut ranges = Vec::new();
        label_ranges(&tree, 0, &mut ranges);
        catalog.labels = labels(&ranges, pdf.pages().len());
    }
    catalog
}

fn titles(parent: &Dict<'_>, level: usize, found: &mut HashMap<String, usize>) {
    let mut next = parent.get::<Dict<'_>>(b"First");
    let mut steps = 0;
    while let Some(item) = next {
        steps += 1;
        if steps > MAX_ENTRIES || found.len() > MAX_ENTRIES || level > MAX_DEPTH {
            return;
        }
        if let Some(title) = item.get::<PdfString<'_>>(b"Title") {
            found.entry(plain(&pdf_string(title.as_bytes()))).or_insert(level);
        }
        titles(&item, level + 1, found);
        next = item.get::<Dict<'_>>(b"Next");
    }
}

/// First page, style, prefix and first number of a range of labels.
struct Range {
    page: usize,
    style: Option<u8>,
    prefix: String,
    start: u32,
}

fn label_ranges(tree: &Dict<'_>, depth: usize, ranges: &mut Vec<Range>) {
    if depth > MAX_DEPTH || ranges.len() > MAX_ENTRIES {
        return;
    }
    if let Some(numbers) = tree.get::<Array<'_>>(b"Nums") {
        let mut entries = numbers.iter::<Object<'_>>();
        while let (Some(page), Some(label)) = (entries.next(), entries.next()) {
            let (Object::Number(page), Object::Dict(label)) = (page, label) else { continue };
            ranges.push(Range {
                page: page.as_i64().max(0) as usize,
                style: label.get::<Name<'_>>(b"S").and_then(|style| style.as_ref().first().copied()),
                prefix: label
                    .get::<PdfString<'_>>(b"P")
                    .map(|prefix| pdf_string(prefix.as_bytes()))
                    .unwrap_or_default(),
                start: label.get::<u32>(b"St").unwrap_or(1),
            });
        }
    }
    for kid in tree.get::<Array<'_>>(b"Kids").iter().flat_map(Array::iter::<Dict<'_>>) {
        label_ranges(&kid, depth + 1, ranges);
    }
}

fn labels(ranges: &[Range], pages: usize) -> Vec<String> {
    let label = |page: usize| {
        let Some(range) = ranges.iter().rev().find(|range| range.page <= page) else {
            return (page + 1).to_string();
        };
        let number = range.start.saturating_add((page - range.page) as u32);
        let number = match range.style {
            Some(b'D') => number.to_string(),
            Some(b'r') => roman(number),
            Some(b'R') => roman(number).to_uppercase(),
            Some(b'a') => letters(number),
            Some(b'A') => letters(number).to_uppercase(),
            _ => String::new(),
        };
        format!("{}{number}", range.prefix)
    };
    (0..pages.min(MAX_ENTRIES)).map(label).collect()
}

fn roman(mut number: u32) -> String {
    const PARTS: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let mut text = String::new();
    if number > 10_000 {
        return number.to_string();
    }
    for (value, part) in PARTS {
        while number >= value {
            text.push_str(part);
            number -= value;
        }
    }
    text
}

fn letters(number: u32) -> String {
    let letter = char::from(b'a' + (number.saturating_sub(1) % 26) as u8);
    std::iter::repeat_n(letter, (number.saturating_sub(1) / 26 + 1).min(100) as usize).collect()
}
