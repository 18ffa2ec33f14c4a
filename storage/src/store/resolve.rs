//! Search results: from ranked rows to passages.

use super::read::Passage;
use super::{Hit, Store};
use crate::documents::{DocumentRecord, PassageRecord};
use crate::error::Result;
use crate::value::Metadata;
use crate::vector::top_k::Ranked;
use std::sync::Arc;

/// The fields that hits of one document share.
#[derive(Clone, Default)]
struct OfDocument {
    key: String,
    title: String,
    metadata: Arc<Metadata>,
    source_map: Arc<Vec<u8>>,
}

impl OfDocument {
    /// Takes the fields of a record; empty ones are shared with `empty`.
    fn of(record: DocumentRecord, empty: &Self) -> Self {
        let DocumentRecord { key, title, metadata, source_map, .. } = record;
        let metadata = if metadata.is_empty() { Arc::clone(&empty.metadata) } else { Arc::new(metadata) };
        let source_map =
            if source_map.is_empty() { Arc::clone(&empty.source_map) } else { Arc::new(source_map) };
        Self { key, title, metadata, source_map }
    }

    fn fill(self, hit: &mut Hit) {
        let Self { key, title, metadata, source_map } = self;
        (hit.key, hit.title, hit.metadata, hit.source_map) = (key, title, metadata, source_map);
    }
}

impl Store {
    /// Returns the passages of ranked rows, or the first row that was removed after it was ranked.
    pub(super) fn resolve(&self, ranked: &[Ranked<u64>]) -> Result<Result<Vec<Hit>, u64>> {
        let trees = self.shared.documents();
        trees.fetch_passages(ranked.iter().map(|ranked| ranked.item));
        let mut records: Vec<PassageRecord> = Vec::with_capacity(ranked.len());
        for &Ranked { item: row, .. } in ranked {
            let Some(record) = trees.passage(row)? else { return Ok(Err(row)) };
            records.push(record);
        }
        // Each document is read once.
        let documents = records.iter().enumerate().map(|(at, record)| (record.document, at));
        let mut documents: Vec<(u64, usize)> = documents.collect();
        documents.sort_unstable();
        trees.fetch_texts(records.iter().map(|record| (record.document, record.start)));
        trees.fetch_documents(documents.iter().map(|&(id, _)| id));

        let empty = OfDocument::default();
        let mut hits = Vec::with_capacity(ranked.len());
        for (&Ranked { rank, item: row }, record) in ranked.iter().zip(records) {
            let Some(passage) = Passage::read(&trees, row, record)? else { return Ok(Err(row)) };
            let Passage { row, heading, range, lead, source_range, places, text } = passage;
            let OfDocument { key, title, metadata, source_map } = empty.clone();
            hits.push(Hit {
                row,
                score: self.shared.profile.metric.score(rank),
                key,
                title,
                metadata,
                source_map,
                heading,
                text,
                lead,
                range,
                source_range,
                places,
            });
        }
        for alike in documents.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((&(id, last), others)) = alike.split_last() else { continue };
            let Some(record) = trees.document(id)? else { return Ok(Err(hits[last].row)) };
            let shared = OfDocument::of(record, &empty);
            for &(_, at) in others {
                shared.clone().fill(&mut hits[at]);
            }
            shared.fill(&mut hits[last]);
        }
        Ok(Ok(hits))
    }
}
