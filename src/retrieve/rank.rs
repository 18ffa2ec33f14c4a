use std::ops::Range;

use postil_contract::{Locator, Places};
use postil_storage::{Effort, Filter, Hit, SearchOptions};

use super::copies::{Place, fold};
use super::search::question_vector;
use super::words::match_words;
use crate::setters::setters;
use crate::{Error, ReadOnlyDatabase};

/// Default number of candidates ranked by their words.
pub const DEFAULT_CANDIDATES: usize = 100;
/// Default weight of words, in nats. With 100 candidates, on newwiki.heldout and the first half of
/// squad2.heldout among 34,077 other passages, 5 to 8 find the asked-for passage first most often
/// and give it the highest prior.
pub const DEFAULT_WORDS_WEIGHT: f32 = 6.0;

/// Most rows searched to find enough passages that are not copies of others.
const MOST_ROWS: usize = 1 << 15;

/// Options of retrieving passages for a question.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RetrieveOptions {
    /// Options of the vector search: k, filter and the rest.
    pub search: SearchOptions,
    /// Nearest passages that are ranked by their words as well; never fewer than k. Copies of a
    /// passage count as one. Default [`DEFAULT_CANDIDATES`].
    pub candidates: usize,
    /// Nats that the candidate which has the question's words best gains over one that has none of
    /// them, at least 0; 0 ranks by similarity alone. Default [`DEFAULT_WORDS_WEIGHT`].
    pub words_weight: f32,
}

impl RetrieveOptions {
    /// The best `k`, with the defaults.
    #[must_use]
    pub fn new(k: usize) -> Self {
        SearchOptions::new(k).into()
    }

    setters! {
        candidates: usize, "Sets [`candidates`](#structfield.candidates).";
        words_weight: f32, "Sets [`words_weight`](#structfield.words_weight), finite, at least 0.";
    }

    /// Finds only passages of documents whose metadata passes.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.search = self.search.filter(filter);
        self
    }

    /// Refuses options out of range, as retrieving does first.
    ///
    /// # Errors
    /// [`Error::WordsWeight`]; [`Error::Storage`] when k is 0 or a recall is not from 0 to 1.
    pub fn check(&self) -> Result<(), Error> {
        if !(0.0..f32::INFINITY).contains(&self.words_weight) {
            return Err(Error::WordsWeight { got: self.words_weight });
        }
        Ok(self.search.check()?)
    }
}

impl From<SearchOptions> for RetrieveOptions {
    fn from(search: SearchOptions) -> Self {
        Self { search, candidates: DEFAULT_CANDIDATES, words_weight: DEFAULT_WORDS_WEIGHT }
    }
}

/// A passage found for a question.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Retrieved {
    /// The passage, with its exact similarity.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub hit: Hit,
    /// Other places that have the same passage, word for word under the same headings.
    pub copies: Vec<Place>,
    /// Word score in [0, 1]: BM25 over the candidates, divided by the best one's; 0 when words do
    /// not count.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::wide"))]
    pub words: f32,
    /// Score that passages are ranked by and their prior is computed from, in units of `hit.score`:
    /// `hit.score` plus `words` times the weight over the encoder's scale.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::wide"))]
    pub relevance: f32,
    /// Page, slide, cells or paragraph of the passage; `None` for a format without.
    pub locator: Option<Locator>,
}

impl Retrieved {
    fn of(hit: Hit, copies: Vec<Place>, words: f32, bonus: f32) -> Self {
        let range = 0..(hit.range.end - hit.range.start) as usize;
        let locator = locate(&hit.places, range);
        Self { relevance: hit.score + bonus, words, hit, copies, locator }
    }
}

/// The place of a part of a passage, counted from its start. Places that only a newer build can
/// read are as none.
pub(crate) fn locate(places: &[u8], range: Range<usize>) -> Option<Locator> {
    Places::from_bytes(places).ok()?.locate(range)
}

/// Ranks passages; see [`ReadOnlyDatabase::retrieve`].
pub(crate) fn retrieve(
    db: &ReadOnlyDatabase,
    question: &str,
    options: &RetrieveOptions,
) -> Result<Vec<Retrieved>, Error> {
    options.check()?;
    let RetrieveOptions { search, candidates, words_weight } = options;
    let vector = question_vector(db, question)?;
    if *words_weight == 0.0 {
        let alone = |(hit, copies): (Hit, _)| Retrieved::of(hit, copies, 0.0, 0.0);
        let mut found: Vec<_> = distinct(db, &vector, search, search.k)?.into_iter().map(alone).collect();
        found.truncate(search.k);
        return Ok(found);
    }
    let k = search.k.max(*candidates);
    let effort = match search.effort {
        Effort::Candidates(candidates) => Effort::Candidates(candidates.max(k.saturating_mul(2))),
        recall @ Effort::Recall(_) => recall,
    };
    let wide = search.clone().k(k).effort(effort);
    // Half of the candidates are enough to rank: a few copies do not justify another search.
    let hits = distinct(db, &vector, &wide, search.k.max(k / 2))?;
    let words = match_words(question, hits.iter().map(|(hit, _)| [hit.heading.as_str(), &hit.text]));
    let unit = words_weight / db.encoder()?.profile().score_scale;
    let mut found: Vec<Retrieved> = hits
        .into_iter()
        .zip(words)
        .map(|((hit, copies), words)| Retrieved::of(hit, copies, words, unit * words))
        .collect();
    found.sort_by(|a, b| b.relevance.total_cmp(&a.relevance));
    found.truncate(search.k);
    Ok(found)
}

/// The nearest passages, at least `enough` that are not copies of each other where there are as
/// many.
fn distinct(
    db: &ReadOnlyDatabase,
    vector: &[f32],
    options: &SearchOptions,
    enough: usize,
) -> Result<Vec<(Hit, Vec<Place>)>, Error> {
    let mut options = options.clone();
    loop {
        let hits = db.search_vector(vector, &options)?;
        let is_all = hits.len() < options.k || options.k >= MOST_ROWS;
        let found = fold(hits);
        if is_all || found.len() >= enough {
            return Ok(found);
        }
        options.k = options.k.saturating_mul(4).min(MOST_ROWS);
    }
}
