//! A tree of tokens, so that answers with a common prefix share its computation.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor};
use postil_contract::TokenId;

/// Tokens that continue a cache as a tree: a token attends to the cache, its ancestors and itself,
/// and to no other branch.
pub(super) struct Tree {
    /// Parent of each token, `None` for one directly after the cache; parents come before their
    /// children.
    parents: Vec<Option<usize>>,
    depths: Vec<usize>,
}

impl Tree {
    /// A tree without branches: one token after another.
    pub(super) fn chain(length: usize) -> Self {
        Self { parents: (0..length).map(|i| i.checked_sub(1)).collect(), depths: (0..length).collect() }
    }

    /// The distinct prefixes of `answers`, all after one token, the root. Returns the tree, the id
    /// of each of its tokens but the root, and for each answer the tree's tokens that precede each
    /// of the answer's own.
    pub(super) fn of(answers: &[Vec<TokenId>]) -> (Self, Vec<TokenId>, Vec<Vec<usize>>) {
        let mut tree = Self::chain(1);
        let (mut tokens, mut known) = (Vec::new(), HashMap::new());
        let mut path = |answer: &Vec<TokenId>| {
            let mut path = vec![0];
            for token in answer.iter().take(answer.len().saturating_sub(1)) {
                let parent = path[path.len() - 1];
                let at = *known.entry((parent, *token)).or_insert_with(|| {
                    tokens.push(*token);
                    tree.parents.push(Some(parent));
                    tree.depths.push(tree.depths[parent] + 1);
                    tree.depths.len() - 1
                });
                path.push(at);
            }
            path
        };
        let paths = answers.iter().map(&mut path).collect();
        (tree, tokens, paths)
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    /// Depth of each token; a token directly after the cache has depth 0.
    pub(super) fn depths(&self) -> &[usize] {
        &self.depths
    }

    /// Number of tokens in the longest branch.
    pub(super) fn height(&self) -> usize {
        self.depths.iter().max().map_or(0, |depth| depth + 1)
    }

    /// True when each token follows the one before.
    pub(super) fn is_chain(&self) -> bool {
        self.parents.iter().enumerate().all(|(i, parent)| *parent == i.checked_sub(1))
    }

    /// True when token `i` attends to token `other`: itself or an ancestor.
    pub(super) fn sees(&self, i: usize, other: usize) -> bool {
        let mut at = Some(i);
        while let Some(token) = at.filter(|token| *token > other) {
            at = self.parents[token];
        }
        at == Some(other)
    }

    /// Attention mask, `[len, before + len]`: 0 where a token may attend (to the first `before`
    /// tokens, in the cache, to its ancestors and to itself), else -inf. `None` for a single token,
    /// which attends to all.
    pub(super) fn bias(&self, before: usize) -> Result<Option<Tensor>> {
        if self.len() <= 1 {
            return Ok(None);
        }
        let all = before + self.len();
        let mut values = vec![f32::NEG_INFINITY; self.len() * all];
        for i in 0..self.len() {
            let (above, line) = values.split_at_mut(i * all);
            match self.parents[i] {
                Some(parent) => line[..all].copy_from_slice(&above[parent * all..][..all]),
                None => line[..before].fill(0.0),
            }
            line[before + i] = 0.0;
        }
        Tensor::from_vec(values, (self.len(), all), &Device::Cpu).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO: f32 = f32::NEG_INFINITY;

    #[test]
    fn a_common_beginning_is_there_once_and_branches_do_not_see_each_other() {
        let (tree, tokens, paths) = Tree::of(&[vec![7, 8, 1], vec![7, 9, 9], vec![7, 8, 2], vec![5]]);
        assert_eq!(tokens, [7, 8, 9]);
        assert_eq!(paths, [vec![0, 1, 2], vec![0, 1, 3], vec![0, 1, 2], vec![0]]);
        assert_eq!((tree.depths(), tree.height()), ([0, 1, 2, 2].as_slice(), 3));
        let bias = tree.bias(1).unwrap().unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(
            bias,
            [
                [0.0, 0.0, NO, NO, NO],
                [0.0, 0.0, 0.0, NO, NO],
                [0.0, 0.0, 0.0, 0.0, NO],
                [0.0, 0.0, 0.0, NO, 0.0]
            ]
        );
    }

    #[test]
    fn a_chain_looks_back_only() {
        let bias = Tree::chain(2).bias(1).unwrap().unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(bias, [[0.0, 0.0, NO], [0.0, 0.0, 0.0]]);
        assert!(Tree::chain(1).bias(5).unwrap().is_none());
    }
}
