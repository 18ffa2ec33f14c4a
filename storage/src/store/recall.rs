//! Recall of searches, measured on the database in its present state.

use super::snapshot::Snapshot;
use super::step::{Counter, OnStep, unwatched};
use super::{SearchOptions, Store};
use crate::error::Result;
use crate::index::measure;

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
        self.measure_recall_watched(options, &mut unwatched)
    }

    /// As [`measure_recall`](Self::measure_recall); `progress` gets vectors asked.
    ///
    /// # Errors
    /// As [`measure_recall`](Self::measure_recall);
    /// [`StorageError::Cancelled`](crate::StorageError::Cancelled) if `progress` cancelled it.
    pub fn measure_recall_watched(
        &self,
        options: &SearchOptions,
        progress: OnStep<'_>,
    ) -> Result<Option<Recall>> {
        options.check()?;
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
        let mut counter = Counter::new((vectors.len() + questions.len()) as u64, progress);
        counter.add(0)?;
        let Some(of_rows) = found(&snapshot, &vectors, &options, &mut counter)? else { return Ok(None) };
        // No question can be made up of one row.
        let questions = found(&snapshot, &questions, &options, &mut counter)?.unwrap_or(of_rows);
        Ok(Some(Recall { rows: of_rows, questions, asked: was_asked }))
    }
}

/// Returns the share of the nearest rows found; `None` if there are no queries.
fn found(
    snapshot: &Snapshot,
    queries: &[Vec<f32>],
    options: &SearchOptions,
    counter: &mut Counter<'_>,
) -> Result<Option<f64>> {
    let (mut found, mut of) = (0, 0);
    for query in queries {
        let exact = snapshot.search(query, &options.clone().exact(), None)?;
        counter.add(1)?;
        let Some(last) = exact.last() else { continue };
        let ranked = snapshot.search(query, options, None)?;
        // Rows tied with the last of the nearest count as hits.
        found += ranked.iter().filter(|ranked| ranked.rank >= last.rank).count().min(exact.len());
        of += exact.len();
    }
    Ok((of > 0).then(|| found as f64 / of as f64))
}
