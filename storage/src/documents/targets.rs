//! Fuzz targets for records.

pub use super::base::targets::base;

use super::document::{decode_document, decode_filtered, encode_document};
use super::records::{decode, decode_passage, encode, encode_passage};
use super::{DocumentRecord, Manifest, PassageRecord, SegmentEntry};
use crate::value::{Metadata, Value};
use postil_hostile::Target;
use std::path::Path;

/// A sample passage.
pub(super) fn passage() -> PassageRecord {
    PassageRecord {
        document: 3,
        start: 21,
        end: 29,
        source_start: 24,
        source_end: 32,
        heading: "A > B".into(),
        lead_start: 1,
        lead_end: 9,
        places: vec![0, 1, 0, 2, 7],
    }
}

/// A sample document with values of every kind.
pub(super) fn document() -> DocumentRecord {
    DocumentRecord {
        key: "handbook/leave.md".into(),
        title: "Leave".into(),
        content_hash: [7; 32],
        metadata: Metadata::from([
            ("year".into(), 2024i64.into()),
            ("tags".into(), vec!["a", "leave"].into()),
            ("draft".into(), false.into()),
            ("weight".into(), 0.5.into()),
            ("until".into(), Value::Null),
            ("big".into(), u64::MAX.into()),
            ("huge".into(), Value::number("12345678901234567890123").expect("it is a number")),
            ("author".into(), Metadata::from([("names".into(), vec!["Kim"].into())]).into()),
        ]),
        text_bytes: 70_000,
        source_map: vec![1, 2, 3, 200],
        first_row: 40,
        row_count: 9,
    }
}

/// Fuzz target for records of all kinds, each read as every kind.
#[must_use]
pub fn records() -> Target<'static> {
    let manifest = Manifest {
        generation: 3,
        next_row: 90,
        next_document: 7,
        next_segment: 3,
        documents: 4,
        passages: 80,
        segments: vec![SegmentEntry { number: 1, rows: 50 }, SegmentEntry { number: 2, rows: 9 }],
        dimension: 4,
        metric: 1,
        encoder: "all-MiniLM-L6-v2".into(),
        fingerprint: "sha256:00".into(),
        attributes: vec![("chunk".into(), "200".into())],
    };
    let without = PassageRecord { places: Vec::new(), ..passage() };
    let samples = [&passage(), &without].map(encode_passage);
    let samples = samples.into_iter().chain([encode_document(&document()), encode(&manifest)]);
    Target::new("records", samples, |bytes| {
        let path = Path::new("x");
        let _ = decode_passage(bytes, path);
        let _ = decode_document(bytes, path);
        let _ = decode::<Manifest>(bytes, path);
        let _ = decode_filtered(bytes, path);
    })
}
