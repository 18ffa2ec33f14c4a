//! Recall of searches, measured on the database in its present state.

use super::snapshot::Snapshot;
use super::{SearchOptions, Store};
use crate::error::Result;
use crate::index::measure;
use std::sync::Arc;

/// Recall of searches against the exact scan: shares from 0 to 1, on average.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Recall {
    /// Share of the nearest rows found for up to 64 stored rows as queries.
    pub rows: f64,
    /// Share of the nearest rows found for questions: for the queries that were asked, if the store
    /// remembers them
    /// ([`StoreOptions::remembered_queries`](super::StoreOptions::remembered_queries)) and there
    /// were at least 32, or for 256 made up of several rows each.
    pub questions: f64,
    /// True if `questions` is for queries that were asked.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub asked: bool,
}

/// Fewest queries that are used; fewer say little.
const FEWEST_ASKED: usize = 32;

impl Store {
    /// Measures the recall of searches with these options, without their filter. Scans all rows for
    /// each of up to 320 vectors. `None` if there are no rows.
    ///
    /// # Errors
    /// As [`search_rows`](Self::search_rows).
    pub fn measure_recall(&self, options: &SearchOptions) -> Result<Option<Recall>> {
        let options = SearchOptions { filter: None, ..options.clone() };
        let snapshot = self.shared.current();
        snapshot.ids_are_sound()?;
        let rows: Vec<u64> = snapshot.rows().collect();
        let mut vectors = Vec::new();
        for at in measure::rows(rows.len()) {
            vectors.extend(snapshot.sound_vector(rows[at])?.map(std::borrow::Cow::into_owned));
        }
        let asked = self.shared.asked.lock().vectors();
        let was_asked = asked.len() >= FEWEST_ASKED;
        let questions =
            if was_asked { asked } else { measure::made_up(self.shared.profile.metric, &vectors) };
        let Some(of_rows) = self.found(&snapshot, &vectors, &options)? else { return Ok(None) };
        // No question can be made up of one row.
        let questions = self.found(&snapshot, &questions, &options)?.unwrap_or(of_rows);
        Ok(Some(Recall { rows: of_rows, questions, asked: was_asked }))
    }

    /// Returns the share of the nearest rows found; `None` if there are no queries.
    fn found(
        &self,
        snapshot: &Arc<Snapshot>,
        queries: &[Vec<f32>],
        options: &SearchOptions,
    ) -> Result<Option<f64>> {
        let (mut found, mut of) = (0, 0);
        for query in queries {
            let exact = snapshot.search(query, &options.clone().exact(), None)?;
            let Some(last) = exact.last() else { continue };
            let ranked = snapshot.search(query, options, None)?;
            // Rows tied with the last of the nearest count as hits.
            found += ranked.iter().filter(|ranked| ranked.rank >= last.rank).count().min(exact.len());
            of += exact.len();
        }
        Ok((of > 0).then(|| found as f64 / of as f64))
    }
}
