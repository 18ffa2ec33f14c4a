//! Equal passages: one is returned, with the places of the others.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::ops::Range;

use postil_storage::Hit;

use crate::origin::source_of;

/// The place of a passage in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Place {
    /// Key of the document.
    pub document: String,
    /// Title of the document; may be empty.
    pub title: String,
    /// The document's metadata field `_file`, or else its key: the name to show a reader.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub source: String,
    /// Bytes of the original document.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::bounds"))]
    pub range: Range<u64>,
}

impl Place {
    /// Sources of several places on one line: the first five, then the number of the others.
    pub fn names(places: &[Self]) -> String {
        const NAMED: usize = 5;
        let named: Vec<&str> = places.iter().take(NAMED).map(|place| place.source.as_str()).collect();
        match places.len().saturating_sub(NAMED) {
            0 => named.join(", "),
            others => format!("{} and {others} more", named.join(", ")),
        }
    }

    fn of(hit: &Hit) -> Self {
        Self {
            document: hit.key.clone(),
            title: hit.title.clone(),
            source: source_of(&hit.key, &hit.metadata),
            range: hit.source_range.clone(),
        }
    }
}

/// The hits without those that repeat an earlier one, each with the places of its repetitions.
///
/// Two passages are equal when their headings and texts are, regardless of blanks between words.
pub(super) fn fold(hits: Vec<Hit>) -> Vec<(Hit, Vec<Place>)> {
    let mut found: Vec<(Hit, Vec<Place>)> = Vec::with_capacity(hits.len());
    let mut seen: HashMap<u64, Vec<usize>> = HashMap::with_capacity(hits.len());
    for hit in hits {
        let alike = match seen.entry(digest(&hit)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Vec::new()),
        };
        match alike.iter().find(|&&at| is_copy(&found[at].0, &hit)) {
            Some(&at) => found[at].1.push(Place::of(&hit)),
            None => {
                alike.push(found.len());
                found.push((hit, Vec::new()));
            }
        }
    }
    found
}

fn digest(hit: &Hit) -> u64 {
    let mut hasher = DefaultHasher::new();
    words(hit).for_each(|word| word.hash(&mut hasher));
    hasher.finish()
}

fn is_copy(a: &Hit, b: &Hit) -> bool {
    words(a).eq(words(b))
}

/// The words of the heading, a mark that is no word, and those of the text.
fn words(hit: &Hit) -> impl Iterator<Item = &str> {
    hit.heading.split_whitespace().chain(["\n"]).chain(hit.text.split_whitespace())
}
