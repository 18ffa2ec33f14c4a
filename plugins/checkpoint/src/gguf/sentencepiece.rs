use std::collections::HashMap;

/// Longest token that is split into pairs, in characters; trained vocabularies stop at 16.
const MAX_CHARACTERS: usize = 64;

/// The merges of a SentencePiece vocabulary, in the order they apply.
///
/// SentencePiece merges the pair whose union has the highest score; byte-pair encoding merges the
/// pair listed first. Listing all pairs by the score of their union converts the first form into
/// the second; equal scores keep the reference conversion's order.
pub(super) fn merges<'a>(tokens: &'a [String], scores: &[f32]) -> Vec<(&'a str, &'a str)> {
    let ids: HashMap<&str, usize> = tokens.iter().enumerate().map(|(id, t)| (t.as_str(), id)).collect();
    let mut found: Vec<(f32, usize, usize, &str, &str)> = Vec::new();
    for (token, score) in tokens.iter().zip(scores) {
        if token.chars().count() > MAX_CHARACTERS {
            continue;
        }
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if let (Some(l), Some(r)) = (ids.get(left), ids.get(right)) {
                found.push((*score, *l, *r, left, right));
            }
        }
    }
    found.sort_by(|a, b| {
        let by_length =
            (b.3.chars().count(), b.4.chars().count()).cmp(&(a.3.chars().count(), a.4.chars().count()));
        b.0.total_cmp(&a.0).then(by_length).then((a.1, a.2).cmp(&(b.1, b.2)))
    });
    found.into_iter().map(|(.., left, right)| (left, right)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_with_the_best_union_is_merged_first() {
        let tokens = ["a", "b", "c", "bc", "ab", "abc"].map(str::to_owned);
        let found = merges(&tokens, &[0.0, 0.0, 0.0, -1.0, -2.0, -3.0]);
        assert_eq!(found, [("b", "c"), ("a", "b"), ("ab", "c"), ("a", "bc")]);
    }
}
