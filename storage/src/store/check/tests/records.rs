//! Invariants of keys, documents, texts and passages in the trees.

use crate::Metric;
use crate::documents::Documents;
use crate::store::tests::sample::{SEALED_ROW, Sample, text};
use crate::value::Metadata;

fn sample() -> Sample {
    Sample::new(Metric::Cosine)
}

fn id(id: u64) -> [u8; 8] {
    id.to_be_bytes()
}

fn block(document: u64, number: u32) -> Vec<u8> {
    [&document.to_be_bytes()[..], &number.to_be_bytes()].concat()
}

#[test]
fn a_key_that_names_nothing_is_found() {
    let sample = sample();
    sample.tamper("keys", b"ghost", Some(&id(999)));
    sample.finds(&["key \"ghost\" names document 999, which is not there"]);
}

#[test]
fn a_key_that_names_the_document_of_another_is_found() {
    let sample = sample();
    sample.tamper("keys", b"ghost", Some(&id(3)));
    sample.finds(&["key \"ghost\" names document 3, whose key is \"key 3\""]);
}

#[test]
fn a_key_that_is_no_text_or_names_no_id_is_found() {
    let sample = sample();
    sample.tamper("keys", b"\xff", Some(&id(3)));
    sample.tamper("keys", b"short", Some(&[1]));
    sample.finds(&["key \"short\" names no document id", "a key is not text"]);
}

#[test]
fn a_document_that_its_key_does_not_name_is_found() {
    let sample = sample();
    sample.tamper("keys", b"key 3", None);
    sample.finds(&["document 3 has key \"key 3\", which does not name it"]);
}

#[test]
fn records_that_cannot_be_decoded_are_named_and_the_rest_is_looked_at() {
    let sample = sample();
    sample.tamper("passages", &id(SEALED_ROW), Some(&[1, 2, 3]));
    sample.tamper("passages", &id(SEALED_ROW + 1), Some(&[9, 2, 3]));
    sample.finds(&["passage of row 7: passage record", "passage of row 8: "]);
}

#[test]
fn a_missing_block_of_text_is_found() {
    let sample = sample();
    sample.tamper("texts", &block(3, 1), None);
    sample.finds(&["document \"key 3\" misses a block of its text"]);
}

#[test]
fn a_block_that_is_too_short_or_too_long_is_found() {
    let sample = sample();
    sample.tamper("texts", &block(3, 1), Some(b"x"));
    sample.tamper("texts", &block(4, 1), Some(&[b'x'; 10_000]));
    sample.finds(&[
        "text block 1 of document 3 is short",
        "block 1 of document 3 has 1 bytes instead of 7232",
        "block 1 of document 4 has 10000 bytes instead of 7232",
    ]);
    assert_eq!(Documents::block_bytes(text().len() as u64, 1), Some(7232));
}

#[test]
fn blocks_of_no_text_are_found() {
    let sample = sample();
    sample.tamper("texts", &block(3, 2), Some(b"x"));
    sample.tamper("texts", &block(999, 0), Some(b"x"));
    sample.tamper("texts", b"short", Some(b"x"));
    sample.finds(&[
        "block 2 of document 3 is part of no text",
        "block 0 of document 999 is part of no text",
        "a block of text is under a key that is none",
    ]);
}

#[test]
fn a_text_that_is_not_utf_8_is_found() {
    let sample = sample();
    let start = [&[0xff], &text().as_bytes()[1..32_768]].concat();
    sample.tamper("texts", &block(3, 0), Some(&start));
    sample.finds(&["document \"key 3\": bytes 0..40000 of document 3 are not text"]);
}

#[test]
fn fields_that_are_not_those_of_the_metadata_are_found() {
    let sample = sample();
    let metadata = Metadata::from([("author".to_owned(), "Kim of Bonn".into())]);
    sample.change_document(3, |record| record.metadata = metadata);
    sample.finds(&[]);
    let mut bytes = sample.store().shared.documents().raw_document(3);
    // The name is there as JSON and as a field.
    let name = bytes.windows(3).position(|bytes| bytes == b"Kim").unwrap();
    bytes[name] = b'T';
    sample.tamper("documents", &id(3), Some(&bytes));
    sample.finds(&["document \"key 3\" has other fields for filters than its metadata says"]);
}

#[test]
fn a_row_without_its_passage_is_found() {
    let sample = sample();
    sample.tamper("passages", &id(SEALED_ROW), None);
    sample.finds(&[
        "rows have a document and no passage: 7",
        "115 passages are there, the manifest says 116",
        "rows have a vector and no passage: 7",
    ]);
}

#[test]
fn a_passage_of_no_document_is_found() {
    let sample = sample();
    sample.change_passage(SEALED_ROW, |passage| passage.document = 999);
    sample.finds(&["rows have a passage and no document: 7"]);
}

#[test]
fn a_passage_of_a_document_with_other_rows_is_found() {
    let sample = sample();
    sample.change_passage(SEALED_ROW, |passage| passage.document = 4);
    sample.finds(&["rows have a passage and no document: 7"]);
}

#[test]
fn passages_that_are_no_ranges_of_the_text_are_found() {
    let sample = sample();
    // Backwards, beyond the end, inside a character, and an invalid source range.
    sample.change_passage(6, |passage| (passage.start, passage.end) = (8, 1));
    sample.change_passage(7, |passage| passage.end = 40_001);
    sample.change_passage(8, |passage| passage.start = 2);
    sample.change_passage(9, |passage| passage.source_start = 9);
    sample.finds(&["rows have a passage that is no range of its document's text: 6, 7, 8, 9"]);
}

#[test]
fn documents_that_claim_the_same_rows_are_found() {
    let sample = sample();
    sample.change_document(4, |record| record.first_row = 7);
    sample.finds(&[
        "rows of document \"key 4\" are another document's too: 7..9",
        "rows have a passage and no document: 9",
    ]);
}

#[test]
fn a_count_of_rows_beyond_all_is_found_and_takes_no_time() {
    let sample = sample();
    sample.change_document(59, |record| record.row_count = u64::MAX);
    sample.finds(&["document \"key 59\" has rows beyond the last that was handed out"]);
}

#[test]
fn ids_beyond_the_manifests_and_wrong_counts_are_found() {
    let sample = sample();
    {
        let mut manifest = sample.store().shared.writer.lock();
        (manifest.next_document, manifest.documents) = (59, 57);
        let manifest = manifest.clone();
        sample.write(|writes| writes.manifest(&manifest));
    }
    sample.finds(&["document 59 is beyond the last", "58 documents are there, the manifest says 57"]);
}

#[test]
fn a_manifest_other_than_the_one_in_use_is_found() {
    let sample = sample();
    sample.tamper("manifest", b"manifest", None);
    sample.finds(&["the manifest is not the one that was read"]);
    sample.tamper("manifest", b"manifest", Some(&[7, 7]));
    sample.finds(&["manifest: ", "the manifest is not the one that was read"]);
}
