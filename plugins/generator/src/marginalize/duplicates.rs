use std::collections::HashMap;
use std::hash::Hash;

use super::log_sum_exp;

/// Groups of identical passages: the model reads each distinct passage once, with the priors
/// summed.
///
/// p(y|x) is the same as with every copy read, since copies have one p(y|x,z); a copy's posterior
/// is its prior's share of the group's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    group_of: Vec<usize>,
    first: Vec<usize>,
}

impl Groups {
    /// Groups equal items, in order of first appearance.
    pub fn of<T: Eq + Hash>(items: &[T]) -> Self {
        let (mut seen, mut first) = (HashMap::new(), Vec::new());
        let group_of = items.iter().enumerate().map(|(i, item)| {
            *seen.entry(item).or_insert_with(|| {
                first.push(i);
                first.len() - 1
            })
        });
        let group_of = group_of.collect();
        Self { group_of, first }
    }

    /// Number of distinct items.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// True when there is no item.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Position of the first item of each group.
    pub fn first(&self) -> &[usize] {
        &self.first
    }

    /// Group number of each item.
    pub fn group_of(&self) -> &[usize] {
        &self.group_of
    }

    /// Log prior of each group: its members' priors summed. Panics when there is not one per item.
    pub fn sum_priors(&self, log_prior: &[f64]) -> Vec<f64> {
        assert_eq!(log_prior.len(), self.group_of.len(), "one prior per item");
        let members = |g| log_prior.iter().zip(&self.group_of).filter(move |(_, of)| **of == g);
        (0..self.len()).map(|g| log_sum_exp(members(g).map(|(p, _)| *p))).collect()
    }

    /// One value per item, copied from its group's value.
    pub fn spread<T: Copy>(&self, per_group: &[T]) -> Vec<T> {
        self.group_of.iter().map(|g| per_group[*g]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_group_with_their_priors_summed() {
        let groups = Groups::of(&["a", "b", "a"]);
        assert_eq!((groups.first(), groups.group_of()), (&[0, 1][..], &[0, 1, 0][..]));
        let priors = groups.sum_priors(&[0.25f64, 0.5, 0.25].map(f64::ln));
        assert!(priors.iter().all(|p| (p - 0.5f64.ln()).abs() < 1e-12));
        assert_eq!(groups.spread(&['x', 'y']), ['x', 'y', 'x']);
    }
}
