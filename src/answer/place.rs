use std::ops::Range;

use super::{Answer, Citation, Conclusion, PassagePosterior};
use crate::extract::OffsetMap;
use crate::origin::source_of;
use crate::retrieve::locate;
use crate::{Error, Retrieved};
use postil_generator::Mode;
use postil_storage::Store;

impl Answer {
    /// The answer when there are no passages.
    pub(crate) fn from_nothing(mode: Mode, generator: String) -> Self {
        let (passages, citations, alternatives) = Default::default();
        Self { conclusion: Conclusion::from_nothing(mode), generator, passages, citations, alternatives }
    }

    /// Maps an answer over passages back to their documents.
    pub(super) fn placed(
        store: &Store,
        found: &[Retrieved],
        mut conclusion: Conclusion,
        generator: &str,
    ) -> Result<Self, Error> {
        let places = Places::of(store, found)?;
        let passage = |(z, found): (usize, &Retrieved)| PassagePosterior {
            document: found.hit.key.clone(),
            title: found.hit.title.clone(),
            heading: found.hit.heading.clone(),
            source: source_of(&found.hit.key, &found.hit.metadata),
            range: found.hit.source_range.clone(),
            locator: found.locator.clone(),
            copies: found.copies.clone(),
            score: found.hit.score,
            relevance: found.relevance,
            words: found.words,
            prior: conclusion.priors[z],
            posterior: conclusion.posteriors[z],
            shortened: conclusion.shortened.contains(&z),
            text: found.hit.text.clone(),
        };
        let passages = found.iter().enumerate().map(passage).collect();
        let cited =
            std::mem::take(&mut conclusion.citations).into_iter().map(|citation| places.cite(citation));
        let citations = cited.collect::<Result<_, _>>()?;
        let others = std::mem::take(&mut conclusion.alternatives).into_iter();
        let alternatives = others.map(|other| other.cited(|citation| places.cite(citation)));
        let alternatives = alternatives.collect::<Result<_, _>>()?;
        let generator = generator.to_owned();
        Ok(Self { citations, alternatives, passages, conclusion, generator })
    }
}

/// Passages with the maps to their documents, in the version that was searched.
struct Places<'a> {
    store: &'a Store,
    found: &'a [Retrieved],
    /// `None` for a document whose text is its original.
    maps: Vec<Option<OffsetMap>>,
}

impl<'a> Places<'a> {
    fn of(store: &'a Store, found: &'a [Retrieved]) -> Result<Self, Error> {
        let map = |Retrieved { hit, .. }: &Retrieved| match hit.source_map.as_slice() {
            [] => Ok(None),
            bytes => OffsetMap::from_bytes(bytes)
                .map(Some)
                .map_err(|source| Error::OffsetMap { key: hit.key.clone(), source }),
        };
        Ok(Self { store, found, maps: found.iter().map(map).collect::<Result<_, _>>()? })
    }

    fn cite(&self, citation: postil_generator::Citation) -> Result<Citation, Error> {
        let postil_generator::Citation { credit, range, copied, .. } = citation;
        let Retrieved { hit, relevance, copies, .. } = &self.found[credit.passage];
        let map = &self.maps[credit.passage];
        let in_original = |Range { start, end }: Range<u64>| match map {
            Some(map) => {
                let range = map.source_range(start as usize..end as usize);
                range.start as u64..range.end as u64
            }
            None => start..end,
        };
        let (quoted, shown) = hit.in_document(range);
        let start = |at: u64| at.saturating_sub(hit.range.start) as usize;
        let locator = locate(&hit.places, start(quoted.start)..start(quoted.end));
        let line = match map {
            None if locator.is_none() => self.store.line(hit.row, quoted.start)?,
            _ => None,
        };
        Ok(Citation {
            document: hit.key.clone(),
            title: hit.title.clone(),
            heading: hit.heading.clone(),
            source: source_of(&hit.key, &hit.metadata),
            range: in_original(quoted),
            line,
            locator,
            quote: hit.text[shown].to_owned(),
            copied: copied.map(|copied| in_original(hit.in_document(copied).0)),
            copies: copies.clone(),
            score: hit.score,
            relevance: *relevance,
            credit,
        })
    }
}
