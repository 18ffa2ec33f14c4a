//! The search plan of a segment, measured when it was made; see [`crate::index::measure`].

use crate::index::effort::{DEFAULT_EF_SEARCH, LEAST_RECALL};
use crate::index::graph::search::Stop;
use crate::index::measure::HITS;

/// Most candidates kept in a search of a segment that was not measured.
const UNMEASURED_MOST: u32 = 1_536;
/// [`Stop::reach`] in a segment that was not measured.
const UNMEASURED_REACH: f32 = 1.08;
/// Most candidates that a search keeps, whatever a file says.
const MOST: u32 = 1 << 16;
/// Recall that lets searches that want more still use the graph; below it they scan all rows.
pub(crate) const ENOUGH: f32 = 0.975;
/// Number of words per step.
const STEP_WORDS: usize = 5;

/// The representation that a graph search ranks candidates by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Means {
    #[default]
    Codes,
    /// Codes do not distinguish the rows; the graph was built by vectors too.
    Vectors,
    Nibbles,
}

/// Search parameters that reach a measured recall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// Measured recall, from 0 to 1; NaN if not measured.
    pub(crate) recall: f32,
    /// Fewest candidates kept; see [`Stop`].
    pub(crate) least: u32,
    pub(crate) most: u32,
    pub(crate) reach: f32,
    /// Average number of candidates whose links were examined.
    pub(crate) width: u32,
}

/// The search plan of a segment, stored in a section.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) means: Means,
    /// Length of the longest vector; 1 under cosine.
    pub(crate) longest: f32,
    /// Steps from the fastest to the best; empty if all rows are scanned. Searches that want more
    /// recall than the best step has scan all rows too, unless it reaches [`ENOUGH`].
    pub(crate) steps: Vec<Step>,
}

/// Says that a full scan searches the segment, not its graph.
pub(crate) struct Scan;

impl Plan {
    /// Returns the plan of a segment that was not measured.
    pub(crate) fn unmeasured(means: Means, least: u32) -> Self {
        let least = least.max(DEFAULT_EF_SEARCH as u32);
        let (most, reach) = (UNMEASURED_MOST.max(least), UNMEASURED_REACH);
        let step = Step { recall: f32::NAN, least, most, reach, width: least };
        Self { means, longest: 1.0, steps: vec![step] }
    }

    /// Returns the plan that scans all rows.
    pub(crate) fn scan(means: Means) -> Self {
        Self { means, longest: 1.0, steps: Vec::new() }
    }

    /// Returns the fastest step that reaches the recall, or else the best one, if it is enough for
    /// any search.
    fn step(&self, recall: f32) -> Option<&Step> {
        let best = || self.steps.last().filter(|best| best.recall >= ENOUGH || best.recall.is_nan());
        self.steps.iter().find(|step| step.recall >= recall).or_else(best)
    }

    /// Returns the condition that ends a search for that share of the nearest `hits` rows.
    pub(crate) fn stop(&self, recall: f32, hits: usize) -> Result<Stop, Scan> {
        let step = self.step(recall).ok_or(Scan)?;
        // Measured for HITS: each further hit has neighbours of its own.
        let more = hits.saturating_sub(HITS).saturating_mul(2);
        let (least, most) = (step.least as usize, step.most as usize);
        let least = least.max(hits);
        Ok(Stop {
            least,
            most: most.saturating_add(more).max(least),
            hits: hits.max(HITS),
            reach: step.reach,
        })
    }

    /// Returns the condition that ends a search with that many candidates, or with as many as
    /// [`LEAST_RECALL`] takes if the graph was measured to reach it.
    pub(crate) fn stop_at(&self, candidates: usize, hits: usize) -> Result<Stop, Scan> {
        match self.stop(LEAST_RECALL, hits) {
            Ok(stop) => Ok(stop.with_at_least(candidates)),
            Err(Scan) if self.steps.is_empty() => Err(Scan),
            Err(Scan) => Ok(Stop::at(candidates.max(hits))),
        }
    }

    /// Returns the approximate number of candidates that such a search examines; `None` for a scan.
    pub(crate) fn width(&self, recall: f32) -> Option<u32> {
        self.step(recall).map(|step| step.width)
    }

    /// Returns the measured recall of searches that want that share; `None` if nothing was
    /// measured.
    pub(crate) fn measured(&self, recall: f32) -> Option<f32> {
        self.step(recall).map_or(Some(1.0), |step| Some(step.recall).filter(|recall| !recall.is_nan()))
    }

    pub(super) fn to_words(&self) -> Vec<u32> {
        let means = match self.means {
            Means::Codes => 0,
            Means::Vectors => 1,
            Means::Nibbles => 2,
        };
        let steps = self.steps.iter().flat_map(|step| {
            [step.recall.to_bits(), step.least, step.most, step.reach.to_bits(), step.width]
        });
        [means, self.longest.to_bits()].into_iter().chain(steps).collect()
    }

    /// Decodes a plan; `None` if this build does not know it. Its values are not trusted: at worst
    /// rows are missed until the segment is checked.
    pub(super) fn from_words(words: &[u32]) -> Option<Self> {
        let (&[means, longest], steps) = words.split_first_chunk()?;
        let means = match means {
            0 => Means::Codes,
            1 => Means::Vectors,
            2 => Means::Nibbles,
            _ => return None,
        };
        let (steps, rest) = steps.as_chunks::<STEP_WORDS>();
        let steps = steps.iter().map(|&[recall, least, most, reach, width]| Step {
            recall: f32::from_bits(recall),
            least: least.clamp(1, MOST),
            most: most.max(least).clamp(1, MOST),
            reach: f32::from_bits(reach),
            width,
        });
        rest.is_empty().then(|| Self { means, longest: f32::from_bits(longest), steps: steps.collect() })
    }

    /// Converts a plan from before recall was measured: 1 if searched by vectors, and the
    /// candidates to keep, 0 for all.
    pub(super) fn from_old(words: [u32; 2]) -> Self {
        let means = if words[0] == 0 { Means::Codes } else { Means::Vectors };
        if words[1] == 0 { Self::scan(means) } else { Self::unmeasured(means, words[1]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(recall: f32, most: u32) -> Step {
        Step { recall, least: 16, most, reach: 1.1, width: 20 }
    }

    #[test]
    fn a_plan_comes_back_and_gives_the_quickest_step_that_is_enough() {
        let steps = vec![step(0.9, 48), step(0.98, 96), step(0.995, 192)];
        let plan = Plan { means: Means::Nibbles, longest: 2.5, steps };
        assert_eq!(Plan::from_words(&plan.to_words()).unwrap(), plan);
        for (wanted, most) in [(0.5, 48), (0.9, 48), (0.95, 96), (0.99, 192), (0.999, 192)] {
            assert_eq!(plan.stop(wanted, 10).unwrap_or_else(|_| unreachable!()).most, most, "{wanted}");
        }
        assert_eq!((plan.measured(0.95), plan.width(0.95)), (Some(0.98), Some(20)));
        assert!(Plan::scan(Means::Codes).stop(0.5, 10).is_err());
        assert_eq!(Plan::scan(Means::Codes).measured(0.5), Some(1.0));
        assert_eq!(Plan::unmeasured(Means::Codes, 7).measured(0.5), None);
    }

    #[test]
    fn a_search_that_wants_more_than_a_graph_finds_looks_at_all_rows_unless_that_is_nearly_all() {
        let plan = Plan { means: Means::Nibbles, longest: 1.0, steps: vec![step(0.9, 48), step(0.96, 96)] };
        assert_eq!(plan.stop(0.95, 10).unwrap_or_else(|_| unreachable!()).most, 96);
        assert!(plan.stop(0.99, 10).is_err());
        let hard = Plan { steps: vec![step(0.9, 48)], ..plan.clone() };
        for (plan, most) in [(&plan, 300), (&hard, 300)] {
            assert_eq!(plan.stop_at(300, 10).unwrap_or_else(|_| unreachable!()).most, most);
        }
        assert_eq!(plan.stop_at(20, 10).unwrap_or_else(|_| unreachable!()).most, 96);
        assert_eq!(hard.stop_at(20, 10).unwrap_or_else(|_| unreachable!()).most, 20);
        assert!(Plan::scan(Means::Codes).stop_at(300, 10).is_err());
        assert_eq!((plan.measured(0.95), plan.measured(0.99)), (Some(0.96), Some(1.0)));
        let plan = Plan { steps: vec![step(0.9, 48), step(0.98, 96)], ..plan };
        assert_eq!(plan.stop(0.99, 10).unwrap_or_else(|_| unreachable!()).most, 96);
    }

    #[test]
    fn words_that_are_no_plan_are_refused_and_none_asks_for_nothing() {
        assert_eq!(Plan::from_words(&[]), None);
        assert_eq!(Plan::from_words(&[3, 0]), None);
        assert_eq!(Plan::from_words(&[0, 0, 1]), None);
        let plan = Plan::from_words(&[0; 7]).unwrap();
        assert!(plan.stop(0.5, 10).is_err());
        let stop = plan.stop(0.0, 10).unwrap_or_else(|_| unreachable!());
        assert!(stop.least >= 10 && stop.most >= stop.least.min(1));
    }
}
