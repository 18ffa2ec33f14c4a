//! file | responsibility
//! ---|---
//! `round_trip.rs` | written documents are read back bit by bit, in bounded memory
//! `refusals.rs` | invalid files, and rows that contradict each other
//! `damage.rs` | files cut and changed at every place

mod damage;
mod refusals;
mod round_trip;

use std::path::Path;

use postil_storage::{DocumentWrite, Metadata, Metric, PassageWrite, Profile, Value};

use super::super::description::Description;
use super::super::source::Source;
use super::{Reader, Writer};
use crate::Error;

const MAX_BYTES: u64 = 64 << 20;

/// A document with passages of three bytes each, and a few bytes of text after the last.
fn document(key: &str, passages: usize, metadata: Metadata) -> DocumentWrite {
    let text = format!("{}é", "ab ".repeat(passages));
    let passage = |at: usize| PassageWrite {
        range: 3 * at as u64..3 * at as u64 + 3,
        source_range: 100 + at as u64..200,
        lead: if at == 1 { 0..3 } else { 0..0 },
        places: Vec::new(),
        heading: format!("{key} > {at}"),
        vector: vec![at as f32, -0.0, f32::MIN_POSITIVE / 2.0, 1.0 / 3.0],
    };
    DocumentWrite {
        key: key.into(),
        title: format!("On {key}"),
        text,
        content_hash: [passages as u8; 32],
        metadata,
        source_map: vec![0, 255, passages as u8],
        passages: (0..passages).map(passage).collect(),
    }
}

/// Documents of every kind there is.
fn documents() -> Vec<DocumentWrite> {
    let metadata = Metadata::from([
        ("none".into(), Value::List(Vec::new())),
        ("real".into(), Value::Float(0.1 + 0.2)),
        ("whole".into(), Value::Integer(i64::MIN)),
        ("\"name\"\n".into(), Value::String("\u{1b}[1m\0".into())),
    ]);
    vec![
        document("five", 5, metadata),
        DocumentWrite::row("bare", vec![1.0; 4], Metadata::from([("true".into(), Value::Bool(true))])),
        document("no passages", 0, Metadata::new()),
        document("ünï\tcode", 1, Metadata::new()),
    ]
}

fn description(vectors: bool) -> Description {
    Description { profile: Profile::new(4, Metric::Dot), counts: Some([4, 7]), vectors }
}

fn write(path: &Path, documents: Vec<DocumentWrite>, with_vectors: bool) {
    let mut writer = Writer::create(path, with_vectors).unwrap();
    documents.into_iter().for_each(|document| writer.push(document).unwrap());
    writer.finish(&description(with_vectors)).unwrap();
}

/// Reads every document, with its vectors if it has any, or its error.
fn read(path: &Path) -> Result<Vec<Result<DocumentWrite, String>>, Error> {
    let mut reader = Reader::open(path, MAX_BYTES)?;
    let mut documents = Vec::new();
    while let Some(entry) = reader.next()? {
        let place = entry.place;
        documents.push(match entry.document {
            Ok(mut document) => {
                reader.vectors(&mut document)?;
                Ok(document)
            }
            Err(what) => Err(format!("{place}: {what}")),
        });
    }
    Ok(documents)
}
