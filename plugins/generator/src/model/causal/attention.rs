//! Attention of one sequence's new tokens, for the heads that share a group of keys.

use postil_kernel::{Finish, Kernel, Panels, Rows};

use super::soften;

/// Least rows of queries for which keys and values are packed: below, each query reads them as they
/// are.
const MANY_ROWS: usize = 24;
/// Rows of queries computed at a time.
const TILE_ROWS: usize = 48;
/// Score of a key that a query does not see: finite, as the softmax wants, and as good as none.
const UNSEEN: f32 = -1e30;

/// Heads of queries, `count` for each group of keys, each of `width` components, and the soft cap of
/// their scores, if they have one.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) count: usize,
    pub(super) width: usize,
    pub(super) cap: Option<f32>,
}

/// The tokens that a query sees.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    /// All before its own and its own.
    Chain,
    /// All before the pass, and those of the pass that `[tokens, tokens]` says.
    Mask(&'a [bool]),
}

/// Computes the attention of `queries`, `[tokens, count * width]` and scaled, to keys and values in
/// several parts, `[length, width]` each; the last `tokens` of them are those of the queries. The
/// result is NaN throughout for a query with a score that is not finite.
pub(super) fn attend(
    kernel: Kernel,
    group: Group,
    queries: &[f32],
    parts: &[(&[f32], &[f32])],
    seen: Seen<'_>,
) -> Vec<f32> {
    let tokens = queries.len() / (group.count * group.width);
    let keys: usize = parts.iter().map(|(keys, _)| keys.len() / group.width).sum();
    let task = Task { kernel, group, queries, parts, seen, before: keys - tokens, keys };
    let mut out = vec![0f32; queries.len()];
    if tokens * group.count >= MANY_ROWS {
        task.packed(&mut out);
    } else {
        task.each(&mut out);
    }
    out
}

struct Task<'a> {
    kernel: Kernel,
    group: Group,
    queries: &'a [f32],
    parts: &'a [(&'a [f32], &'a [f32])],
    seen: Seen<'a>,
    /// Number of keys before the pass.
    before: usize,
    keys: usize,
}

impl Task<'_> {
    /// Query by query.
    fn each(&self, out: &mut [f32]) {
        let Group { count, width, .. } = self.group;
        let mut scores = vec![0f32; self.keys];
        for (row, (query, out)) in
            self.queries.chunks_exact(width).zip(out.chunks_exact_mut(width)).enumerate()
        {
            let mut at = 0;
            for (keys, _) in self.parts {
                let length = keys.len() / width;
                self.kernel.dots(query, keys, &mut scores[at..at + length]);
                at += length;
            }
            if self.weigh(row / count, &mut scores) {
                let mut at = 0;
                for (_, values) in self.parts {
                    let length = values.len() / width;
                    self.kernel.add_weighted(&scores[at..at + length], values, out);
                    at += length;
                }
            } else {
                out.fill(f32::NAN);
            }
        }
    }

    /// Tiles of queries, as matrix products.
    fn packed(&self, out: &mut [f32]) {
        let Group { count, width, .. } = self.group;
        let keys = self.parts.iter().map(|(keys, _)| *keys).collect::<Vec<_>>().concat();
        let values = self.parts.iter().map(|(_, values)| *values).collect::<Vec<_>>().concat();
        let keys = Panels::from_linear(&keys, self.keys, width);
        let values = Panels::from_rows(&values, self.keys, width);
        let rows = (TILE_ROWS / count).max(1) * count;
        let mut scores = vec![0f32; rows * self.keys];
        let tiles = self.queries.chunks(rows * width).zip(out.chunks_mut(rows * width));
        for (tile, (queries, out)) in tiles.enumerate() {
            let n = queries.len() / width;
            let scores = &mut scores[..n * self.keys];
            let queries = Rows { values: queries, stride: width, rows: n };
            self.kernel.product(queries, keys.all(), Finish::PLAIN, scores, self.keys);
            let mut bad = Vec::new();
            for (row, scores) in scores.chunks_exact_mut(self.keys).enumerate() {
                if !self.weigh((tile * rows + row) / count, scores) {
                    scores.fill(0.0);
                    bad.push(row);
                }
            }
            let weights = Rows { values: scores, stride: self.keys, rows: n };
            self.kernel.product(weights, values.all(), Finish::PLAIN, out, width);
            bad.into_iter().for_each(|row| out[row * width..][..width].fill(f32::NAN));
        }
    }

    /// Turns the scores of a query of `token` into weights; false when one of them is not finite.
    fn weigh(&self, token: usize, scores: &mut [f32]) -> bool {
        self.group.cap.iter().for_each(|cap| soften(scores, *cap));
        let visible = match self.seen {
            Seen::Chain => self.before + token + 1,
            Seen::Mask(seen) => {
                let tokens = self.keys - self.before;
                let of_pass = scores[self.before..].iter_mut().zip(&seen[token * tokens..]);
                of_pass.for_each(|(score, seen)| *score = if *seen { *score } else { UNSEEN });
                self.keys
            }
        };
        let (scores, hidden) = scores.split_at_mut(visible);
        hidden.fill(0.0);
        // Checked before the softmax, which could hide values that are not finite.
        if !scores.iter().fold(true, |all, score| all & score.is_finite()) {
            return false;
        }
        self.kernel.softmax(scores, 1.0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_one_by_one_and_in_tiles_see_the_same() {
        let (group, before, tokens) = (Group { count: 3, width: 8, cap: Some(2.0) }, 21, 13);
        let value = |i: usize, seed: usize| ((i * 37 + seed * 11 + i * i % 7) % 23) as f32 / 11.0 - 1.0;
        let line = |n: usize, seed| (0..n * group.width).map(|i| value(i, seed)).collect::<Vec<f32>>();
        let queries = line(tokens * group.count, 1);
        let (shared, own) = ((line(before, 2), line(before, 3)), (line(tokens, 4), line(tokens, 5)));
        let parts: [(&[f32], &[f32]); 2] = [(&shared.0, &shared.1), (&own.0, &own.1)];
        let tree: Vec<bool> = (0..tokens * tokens)
            .map(|at| at % tokens <= at / tokens && at % 3 != 1 || at % (tokens + 1) == 0)
            .collect();
        for seen in [Seen::Chain, Seen::Mask(&tree)] {
            for kernel in [Kernel::Portable, Kernel::detect()] {
                let keys = before + tokens;
                let task = Task { kernel, group, queries: &queries, parts: &parts, seen, before, keys };
                let (mut one, mut all) = (vec![0f32; queries.len()], vec![0f32; queries.len()]);
                task.each(&mut one);
                task.packed(&mut all);
                for (one, all) in one.iter().zip(&all) {
                    assert!((one - all).abs() < 1e-5, "{one} {all}");
                }
            }
        }
    }
}
