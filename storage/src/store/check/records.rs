//! Keys, documents, texts and passages: each decodes, and fits the others.

use super::report::Report;
use crate::documents::{DocumentRecord, Documents, Manifest, PassageRecord};
use crate::error::Result;
use crate::few::few;
use crate::value::fields::Fields;
use roaring::RoaringTreemap;
use std::ops::Range;

/// Checks the records, and returns the rows that have a passage.
pub(super) fn check(
    documents: &Documents,
    manifest: &Manifest,
    report: &mut Report<'_>,
) -> Result<RoaringTreemap> {
    keys(documents, report)?;
    let (found, owned) = each_document(documents, manifest, report)?;
    blocks(documents, report)?;
    let passages = each_passage(documents, report)?;
    for (what, rows) in [("rows have a document and no passage", &owned - &passages)] {
        if let Some(few) = few(&rows) {
            report.add(format!("{what}: {few}"));
        }
    }
    for (name, found, expected) in
        [("documents", found, manifest.documents), ("passages", passages.len(), manifest.passages)]
    {
        if found != expected {
            report.add(format!("{found} {name} are there, the manifest says {expected}"));
        }
    }
    Ok(passages)
}

fn keys(documents: &Documents, report: &mut Report<'_>) -> Result<()> {
    for entry in documents.every_key() {
        let Some(entry) = report.step(entry)? else { continue };
        let Some((key, id)) = report.entry(|| "keys".to_owned(), entry)? else { continue };
        match report.entry(|| format!("document {id}"), documents.document(id))? {
            None => {}
            Some(None) => report.add(format!("key {key:?} names document {id}, which is not there")),
            Some(Some(record)) if record.key != key => {
                report.add(format!("key {key:?} names document {id}, whose key is {:?}", record.key));
            }
            Some(Some(_)) => {}
        }
    }
    Ok(())
}

/// Returns the number of documents and the rows they claim.
fn each_document(
    documents: &Documents,
    manifest: &Manifest,
    report: &mut Report<'_>,
) -> Result<(u64, RoaringTreemap)> {
    let (mut count, mut owned) = (0, RoaringTreemap::new());
    for entry in documents.every_document() {
        let Some((id, record)) = report.step(entry)? else { continue };
        count += 1;
        let Some(record) = report.entry(|| format!("document {id}"), record)? else { continue };
        let key = &record.key;
        if id >= manifest.next_document {
            report.add(format!("document {id} is beyond the last that was handed out"));
        }
        let named = report.entry(|| format!("key {key:?}"), documents.id_of(key))?;
        if named.is_some_and(|named| named != Some(id)) {
            report.add(format!("document {id} has key {key:?}, which does not name it"));
        }
        let sound = documents.document_where(id, |fields| *fields == Fields::of(&record.metadata));
        if let Some(Some(None)) = report.entry(|| format!("document {key:?}"), sound)? {
            report.add(format!("document {key:?} has other fields for filters than its metadata says"));
        }
        let text = documents.text(id, &(0..record.text_bytes));
        if let Some(None) = report.entry(|| format!("document {key:?}"), text)? {
            report.add(format!("document {key:?} misses a block of its text"));
        }
        let rows = rows(&record);
        if rows.end > manifest.next_row {
            report.add(format!("document {key:?} has rows beyond the last that was handed out: {rows:?}"));
        }
        // A damaged range may have very many rows.
        let rows = rows.start..rows.end.min(manifest.next_row);
        if owned.range_cardinality(rows.clone()) > 0 {
            report.add(format!("rows of document {key:?} are another document's too: {rows:?}"));
        }
        owned.insert_range(rows);
    }
    Ok((count, owned))
}

fn rows(record: &DocumentRecord) -> Range<u64> {
    record.first_row..record.first_row.saturating_add(record.row_count)
}

/// Checks that every text block belongs to a document, and is as long as the document's length
/// says.
fn blocks(documents: &Documents, report: &mut Report<'_>) -> Result<()> {
    let mut known: Option<(u64, Option<u64>)> = None;
    for entry in documents.every_block() {
        let Some(entry) = report.step(entry)? else { continue };
        let Some((id, number, bytes)) = entry else {
            report.add("a block of text is under a key that is none");
            continue;
        };
        // The blocks of a document are consecutive.
        let text_bytes = match known {
            Some((known, text_bytes)) if known == id => text_bytes,
            _ => documents.document(id).ok().flatten().map(|record| record.text_bytes),
        };
        known = Some((id, text_bytes));
        let expected = text_bytes.and_then(|text_bytes| Documents::block_bytes(text_bytes, number));
        match expected {
            None => report.add(format!("block {number} of document {id} is part of no text")),
            Some(expected) if expected != bytes => {
                report
                    .add(format!("block {number} of document {id} has {bytes} bytes instead of {expected}"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// A document while its passages are checked.
struct Of {
    id: u64,
    record: Option<DocumentRecord>,
    /// `None` if the text cannot be read, which is reported with the document.
    text: Option<String>,
}

/// Checks that every passage belongs to a document and lies within its text, on character
/// boundaries.
fn each_passage(documents: &Documents, report: &mut Report<'_>) -> Result<RoaringTreemap> {
    let mut passages = RoaringTreemap::new();
    let mut of: Option<Of> = None;
    let (mut strays, mut unfit) = (Vec::new(), Vec::new());
    for entry in documents.every_passage() {
        let Some((row, passage)) = report.step(entry)? else { continue };
        passages.insert(row);
        report.counter.count()?;
        let Some(passage) = report.entry(|| format!("passage of row {row}"), passage)? else { continue };
        // The rows of a document are consecutive.
        if of.as_ref().is_none_or(|of| of.id != passage.document) {
            let id = passage.document;
            let record = documents.document(id).ok().flatten();
            let text =
                record.as_ref().and_then(|record| documents.text(id, &(0..record.text_bytes)).ok().flatten());
            of = Some(Of { id, record, text });
        }
        match of.as_ref().and_then(|of| Some((of.record.as_ref()?, of.text.as_deref()))) {
            Some((record, _)) if !rows(record).contains(&row) => strays.push(row),
            None => strays.push(row),
            Some((record, text)) if !fits(&passage, record, text) => unfit.push(row),
            Some(_) => {}
        }
    }
    for (what, rows) in [
        ("rows have a passage and no document", strays),
        ("rows have a passage that is no range of its document's text", unfit),
    ] {
        if let Some(few) = few(rows) {
            report.add(format!("{what}: {few}"));
        }
    }
    Ok(passages)
}

fn fits(passage: &PassageRecord, record: &DocumentRecord, text: Option<&str>) -> bool {
    let boundary =
        |at: u64| text.is_none_or(|text| usize::try_from(at).is_ok_and(|at| text.is_char_boundary(at)));
    let is_part =
        |start: u64, end: u64| start <= end && end <= record.text_bytes && boundary(start) && boundary(end);
    is_part(passage.start, passage.end)
        && is_part(passage.lead_start, passage.lead_end)
        && passage.source_start <= passage.source_end
}
