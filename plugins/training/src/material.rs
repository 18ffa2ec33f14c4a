//! Examples that need no labels, from documents: masked words, and pairs of a query and its passage.

use postil_contract::Passage;
use postil_encoder::Parts;

use crate::{Random, TrainError};

/// A document to learn from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Title; may be empty.
    pub title: String,
    /// Its passages, in order.
    pub passages: Vec<Section>,
}

/// A passage of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Path of the headings above it, as it is embedded; may be empty.
    pub heading: String,
    /// Text.
    pub text: String,
}

/// A task that documents give without labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Predict masked words (Devlin et al. 2018).
    Mlm,
    /// Find a passage by the last of its headings.
    Heading,
    /// Find a passage by its document's title.
    Title,
    /// Find a passage by its neighbour.
    Neighbour,
    /// Find the rest of a passage by some of its words (Lee et al. 2019, the inverse cloze task).
    Crop,
}

impl Objective {
    /// All objectives.
    pub const ALL: [Self; 5] = [Self::Mlm, Self::Heading, Self::Title, Self::Neighbour, Self::Crop];

    /// Name of the objective, as options have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mlm => "mlm",
            Self::Heading => "heading",
            Self::Title => "title",
            Self::Neighbour => "neighbour",
            Self::Crop => "crop",
        }
    }

    /// The objective of a name; `None` when there is none.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|objective| objective.name() == name)
    }

    /// A query and the passage that it belongs to, of passage `at` of the document; `None` when it
    /// has none for this objective.
    pub fn pair(self, document: &Source, at: usize, random: &mut Random) -> Option<(String, Section)> {
        let section = document.passages.get(at)?;
        let bare = || Section { heading: String::new(), text: section.text.clone() };
        let query = match self {
            Self::Mlm => return None,
            Self::Heading => section.heading.rsplit(" > ").next()?.trim().to_owned(),
            Self::Title => document.title.trim().to_owned(),
            Self::Neighbour => document.passages.get(at + 1)?.text.clone(),
            Self::Crop => return crop(section, random),
        };
        // The heading is embedded with the passage: a pair that keeps it teaches to compare strings.
        (!query.is_empty() && query != section.text.trim()).then(|| (query, bare()))
    }
}

/// A run of an eighth to a half of the passage's words, 4 to 24 of them; and the passage without
/// it, or, one time in ten, with it.
fn crop(section: &Section, random: &mut Random) -> Option<(String, Section)> {
    let words: Vec<&str> = section.text.split_whitespace().collect();
    if words.len() < 12 {
        return None;
    }
    let (least, most) = ((words.len() / 8).clamp(4, 12), (words.len() / 2).clamp(5, 24));
    let length = least + random.below(most - least + 1);
    let start = random.below(words.len() - length + 1);
    let query = words[start..start + length].join(" ");
    let text = match random.chance(0.1) {
        true => section.text.clone(),
        false => [&words[..start], &words[start + length..]].concat().join(" "),
    };
    Some((query, Section { heading: section.heading.clone(), text }))
}

/// Tokens of a passage with some of them masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// Token ids, as the model reads them.
    pub ids: Vec<u32>,
    /// Positions whose words are asked for.
    pub places: Vec<usize>,
    /// The right word of each.
    pub words: Vec<u32>,
}

/// Masking as in BERT's pretraining.
#[derive(Clone, Debug)]
pub struct Masking {
    mask: u32,
    vocabulary: usize,
    /// True for tokens that continue a word.
    continues: Vec<bool>,
    /// True for tokens that are no words.
    special: Vec<bool>,
    whole_words: bool,
}

/// Share of the positions that are asked for.
const ASKED: f64 = 0.15;

impl Masking {
    /// The masking of a model's vocabulary; with `whole_words`, all pieces of a word or none.
    ///
    /// # Errors
    /// [`TrainError::Unsupported`] when there is no `[MASK]`.
    pub fn new(parts: &Parts, whole_words: bool, path: &std::path::Path) -> Result<Self, TrainError> {
        let missing = || TrainError::Unsupported {
            path: path.to_owned(),
            reason: "its vocabulary has no [MASK], which learning masked words needs".to_owned(),
        };
        let mask = parts.token("[MASK]").ok_or_else(missing)?;
        let vocabulary = parts.config().vocab_size;
        let contents: Vec<String> =
            (0..vocabulary as u32).map(|id| parts.content(id).unwrap_or_default()).collect();
        let continues = contents.iter().map(|content| content.starts_with("##")).collect();
        let is_special =
            |content: &String| content.is_empty() || content.starts_with('[') && content.len() > 1;
        let special = contents.iter().map(is_special).collect();
        Ok(Self { mask, vocabulary, continues, special, whole_words })
    }

    /// Asks for 15 % of the tokens: of those 80 % become `[MASK]`, 10 % another word, and 10 % stay.
    pub fn apply(&self, ids: &[u32], random: &mut Random) -> Masked {
        let mut masked = Masked { ids: ids.to_vec(), places: Vec::new(), words: Vec::new() };
        let is = |flags: &[bool], id: u32| flags.get(id as usize).copied().unwrap_or(false);
        let mut is_asked = false;
        for (place, &id) in ids.iter().enumerate() {
            if is(&self.special, id) {
                continue;
            }
            if !(self.whole_words && is(&self.continues, id) && place > 0) {
                is_asked = random.chance(ASKED);
            }
            if !is_asked {
                continue;
            }
            masked.places.push(place);
            masked.words.push(id);
            let drawn = random.uniform();
            if drawn < 0.8 {
                masked.ids[place] = self.mask;
            } else if drawn < 0.9 {
                masked.ids[place] = random.below(self.vocabulary) as u32;
            }
        }
        masked
    }
}

/// Token ids of a passage, at most `most` of them, the last special token kept.
pub(crate) fn passage_ids(parts: &Parts, section: &Section, most: usize) -> Result<Vec<u32>, TrainError> {
    let passage = Passage { title: &section.heading, text: &section.text };
    cut(parts.passage_ids(passage), most)
}

/// Token ids of a query, likewise.
pub(crate) fn query_ids(parts: &Parts, query: &str, most: usize) -> Result<Vec<u32>, TrainError> {
    cut(parts.question_ids(query), most)
}

fn cut(
    ids: Result<Vec<u32>, postil_checkpoint::TokenizerError>,
    most: usize,
) -> Result<Vec<u32>, TrainError> {
    let mut ids = ids.map_err(|error| candle_core::Error::msg(error.to_string()))?;
    if let Some(last) = ids.last().copied().filter(|_| ids.len() > most) {
        ids.truncate(most.max(2) - 1);
        ids.push(last);
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masking(whole_words: bool) -> Masking {
        let (mut continues, mut special) = (vec![false; 1_000], vec![false; 1_000]);
        continues[500..].fill(true);
        special[..3].fill(true);
        Masking { mask: 3, vocabulary: 1_000, continues, special, whole_words }
    }

    #[test]
    fn fifteen_in_a_hundred_words_are_asked_for_and_most_of_them_masked() {
        let ids: Vec<u32> = [1].into_iter().chain((0..20_000).map(|i| 10 + i % 400)).chain([2]).collect();
        let masked = masking(false).apply(&ids, &mut Random::new(1, 1));
        let share = masked.places.len() as f64 / 20_000.0;
        assert!((share - 0.15).abs() < 0.01, "{share}");
        let of = |is: &dyn Fn(usize) -> bool| {
            masked.places.iter().filter(|place| is(**place)).count() as f64 / masked.places.len() as f64
        };
        let (hidden, kept) = (of(&|at| masked.ids[at] == 3), of(&|at| masked.ids[at] == ids[at]));
        assert!((hidden - 0.8).abs() < 0.03 && (kept - 0.1).abs() < 0.03, "{hidden} {kept}");
        let mut restored = masked.ids.clone();
        masked.places.iter().zip(&masked.words).for_each(|(place, word)| restored[*place] = *word);
        assert_eq!(restored, ids);
        assert_eq!((masked.ids[0], masked.ids[20_001]), (1, 2));
    }

    #[test]
    fn whole_words_are_masked_with_all_their_pieces_or_not_at_all() {
        let ids: Vec<u32> = (0..3_000).map(|i| if i % 3 == 0 { 10 + i % 400 } else { 600 }).collect();
        let asked: std::collections::HashSet<usize> =
            masking(true).apply(&ids, &mut Random::new(1, 1)).places.into_iter().collect();
        assert!(!asked.is_empty());
        for word in 0..1_000 {
            let pieces = (3 * word..3 * word + 3).filter(|place| asked.contains(place)).count();
            assert!(pieces == 0 || pieces == 3, "{pieces} of word {word}");
        }
    }

    #[test]
    fn every_objective_pairs_a_query_with_what_it_belongs_to() {
        let text = |salt: usize| (0..40).map(|i| format!("w{salt}x{i}")).collect::<Vec<_>>().join(" ");
        let section = |salt| Section { heading: "Guide > Leave".into(), text: text(salt) };
        let document = Source { title: "Guide".into(), passages: vec![section(0), section(1)] };
        let mut random = Random::new(1, 1);
        let mut pair = |objective: Objective, at| objective.pair(&document, at, &mut random);
        assert_eq!(pair(Objective::Heading, 0).unwrap().0, "Leave");
        assert_eq!(pair(Objective::Heading, 0).unwrap().1.heading, "");
        assert_eq!(pair(Objective::Title, 1).unwrap().0, "Guide");
        assert_eq!(pair(Objective::Neighbour, 0).unwrap().0, text(1));
        assert_eq!(pair(Objective::Neighbour, 1), None);
        assert_eq!(pair(Objective::Mlm, 0), None);
        let mut whole = 0;
        for _ in 0..200 {
            let (query, rest) = pair(Objective::Crop, 0).unwrap();
            assert!(text(0).contains(&query) && rest.heading == "Guide > Leave");
            whole += u32::from(rest.text.contains(&query));
        }
        assert!((1..60).contains(&whole), "{whole}");
        let short = Source { title: String::new(), passages: vec![Section::default()] };
        assert!(Objective::ALL.iter().all(|objective| objective.pair(&short, 0, &mut random).is_none()));
        assert!(
            Objective::ALL.iter().all(|objective| Objective::of_name(objective.name()) == Some(*objective))
        );
    }
}
