//! The best k of a stream, in a total order: higher rank first, then lower id or position.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Something with its rank; ordered so that the better one is greater. Ids of rows are `u64`,
/// positions in a segment or graph `u32`: the types keep the two apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ranked<T> {
    pub(crate) rank: f32,
    pub(crate) item: T,
}

impl<T: Ord> Eq for Ranked<T> {}

impl<T: Ord> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.total_cmp(&other.rank).then_with(|| other.item.cmp(&self.item))
    }
}

impl<T: Ord> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best `k` of those offered.
pub(crate) struct TopK<T> {
    k: usize,
    heap: BinaryHeap<Reverse<Ranked<T>>>,
}

impl<T: Ord> TopK<T> {
    pub(crate) fn new(k: usize) -> Self {
        // `k` comes from the caller and may be absurd: the heap grows with the rows offered.
        Self { k, heap: BinaryHeap::with_capacity(k.min(1024)) }
    }

    #[inline]
    pub(crate) fn offer(&mut self, ranked: Ranked<T>) {
        if self.heap.len() < self.k {
            self.heap.push(Reverse(ranked));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && ranked > worst.0
        {
            *worst = Reverse(ranked);
        }
    }

    /// Returns what was kept, best first.
    pub(crate) fn into_sorted(self) -> Vec<Ranked<T>> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(ranked)| ranked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_keeps_what_a_full_sort_would(ranks in proptest::collection::vec(-3i8..3, 0..60), k in 0usize..20) {
            let all: Vec<Ranked<usize>> =
                ranks.iter().enumerate().map(|(i, &r)| Ranked { rank: f32::from(r), item: i }).collect();
            let mut top = TopK::new(k);
            all.iter().for_each(|&ranked| top.offer(ranked));
            let mut sorted = all;
            sorted.sort_by(|a, b| b.cmp(a));
            sorted.truncate(k);
            prop_assert_eq!(top.into_sorted(), sorted);
        }
    }
}
