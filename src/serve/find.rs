use postil_contract::Passage;
use postil_server::{Failure, Found, Json, Listed, Listing, Query, Search, Stored};
use postil_storage::{Filter, Hit, Metadata, SearchOptions};
use serde::Serialize;

use super::form::{failed, json};
use crate::{Error, ReadOnlyDatabase, RetrieveOptions};

/// Hits of a search that asks for no number.
const DEFAULT_K: usize = 10;

#[derive(Serialize)]
struct Got<'a> {
    document: &'a str,
    title: &'a str,
    text: &'a str,
    metadata: &'a Metadata,
}

#[derive(Serialize)]
struct Parts<'a> {
    document: &'a str,
    passages: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    range: [u64; 2],
    title: &'a str,
    heading: &'a str,
    text: &'a str,
}

/// A filter of a request.
pub(super) fn filter(text: Option<&str>) -> Result<Option<Filter>, Failure> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error: <Filter as std::str::FromStr>::Err| Failure::input(format!("filter: {error}")))
}

pub(super) fn search(db: &ReadOnlyDatabase, search: &Search) -> Result<Vec<Found>, Failure> {
    let mut options = SearchOptions::new(search.k.unwrap_or(DEFAULT_K));
    if let Some(recall) = search.recall {
        options = options.recall(recall);
    }
    options.exact = search.exact;
    options.filter = filter(search.filter.as_deref())?;
    match &search.query {
        Query::Vector(vector) => {
            let hits = db.search_vector(vector, &options).map_err(failed)?;
            hits.into_iter()
                .map(|hit| {
                    let json = json(&hit)?;
                    found(hit, json)
                })
                .collect()
        }
        Query::Text(text) => {
            let mut options = RetrieveOptions::from(options);
            if let Some(candidates) = search.candidates {
                options = options.candidates(candidates);
            }
            if let Some(weight) = search.words_weight {
                options = options.words_weight(weight);
            }
            let hits = db.retrieve(text, &options).map_err(failed)?;
            hits.into_iter()
                .map(|it| {
                    let json = json(&it)?;
                    found(it.hit, json)
                })
                .collect()
        }
    }
}

fn found(hit: Hit, json: Json) -> Result<Found, Failure> {
    Ok(Found {
        metadata: super::form::json(&*hit.metadata)?,
        document: hit.key,
        title: hit.title,
        text: hit.text,
        score: hit.score,
        range: hit.source_range,
        json,
    })
}

pub(super) fn document(db: &ReadOnlyDatabase, key: &str) -> Result<Option<Stored>, Failure> {
    let (Some(document), Some(text)) = (db.get(key).map_err(failed)?, db.text(key).map_err(failed)?) else {
        return Ok(None);
    };
    let (title, metadata) = (document.title, document.metadata);
    let got = json(&Got { document: &document.key, title: &title, text: &text, metadata: &metadata })?;
    Ok(Some(Stored { title, text, metadata: json(&metadata)?, json: got }))
}

pub(super) fn passages(db: &ReadOnlyDatabase, key: &str) -> Result<Option<Json>, Failure> {
    let (Some(document), Some(passages)) = (db.get(key).map_err(failed)?, db.passages(key).map_err(failed)?)
    else {
        return Ok(None);
    };
    let passages = passages
        .iter()
        .map(|passage| Part {
            range: [passage.source_range.start, passage.source_range.end],
            title: &document.title,
            heading: &passage.heading,
            text: &passage.text,
        })
        .collect();
    json(&Parts { document: &document.key, passages }).map(Some)
}

pub(super) fn documents(db: &ReadOnlyDatabase, listing: &Listing) -> Result<Vec<Listed>, Failure> {
    let mut page = Vec::new();
    for document in db.documents() {
        let document = document.map_err(failed)?;
        let is_before = listing.after.as_ref().is_some_and(|after| document.key <= *after);
        if is_before || !document.key.starts_with(&listing.prefix) {
            // Keys come in order: behind the prefix there is none with it.
            if !is_before && document.key > listing.prefix {
                break;
            }
            continue;
        }
        page.push(Listed {
            metadata: json(&document.metadata)?,
            key: document.key,
            title: document.title,
            text_bytes: document.text_bytes,
        });
        if page.len() >= listing.limit {
            break;
        }
    }
    Ok(page)
}

pub(super) fn embed(
    db: &ReadOnlyDatabase,
    texts: &[String],
    as_questions: bool,
) -> Result<Vec<Vec<f32>>, Failure> {
    let encoder = db.encoder().map_err(failed)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let embeddings = if as_questions {
        encoder.encode_questions(&texts)
    } else {
        let passages: Vec<Passage<'_>> = texts.iter().map(|text| Passage { title: "", text }).collect();
        encoder.encode_passages(&passages)
    };
    let embeddings = embeddings.map_err(|error| failed(Error::from(error)))?;
    let row = |at| {
        let row = embeddings.row(at).map(<[f32]>::to_vec);
        row.ok_or_else(|| failed(Error::VectorCount { got: at, expected: texts.len() }))
    };
    (0..texts.len()).map(row).collect()
}
