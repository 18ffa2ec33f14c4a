use std::collections::HashMap;

use postil_contract::TokenId;

use super::candidates::Candidates;
use crate::marginalize::log_space::log_add;
use crate::marginalize::log_sum_exp;

/// The token that ends every answer.
pub(super) const END: TokenId = 0;
/// The token that stands for "no answer".
pub(super) const NO_ANSWER: TokenId = 1;

/// The root of every trie: the empty prefix.
pub(super) const ROOT: usize = 0;

/// All sentences as sequences of words, each word with the whitespace after it, so that joining the
/// words restores the sentence exactly.
pub(super) struct Trie {
    /// Text of each token; empty for the two reserved tokens.
    pub(super) words: Vec<String>,
    pub(super) nodes: Vec<Node>,
    /// Every answer, in order of first appearance, "no answer" last.
    pub(super) answers: Vec<Vec<TokenId>>,
    pub(super) passages: usize,
}

/// A prefix of one or more answers.
pub(super) struct Node {
    /// Prefixes one token longer, each with that token.
    pub(super) children: Vec<(TokenId, usize)>,
    /// log p(prefix|x,z), `[passages]`.
    pub(super) log_mass: Vec<f64>,
    /// Byte where the first sentence with this prefix starts in each passage; `None` when the
    /// passage has none.
    pub(super) starts: Vec<Option<usize>>,
}

impl Node {
    fn new(passages: usize) -> Self {
        Self {
            children: Vec::new(),
            log_mass: vec![f64::NEG_INFINITY; passages],
            starts: vec![None; passages],
        }
    }

    pub(super) fn child(&self, token: TokenId) -> Option<usize> {
        self.children.iter().find(|(t, _)| *t == token).map(|(_, node)| *node)
    }
}

impl Trie {
    /// Builds the trie. `logits` are s * q(x).e(y) for each input of `candidates`, `no_answer` is
    /// the logit of "no answer".
    pub(super) fn new(candidates: &Candidates<'_>, logits: &[f64], no_answer: f64) -> Self {
        let passages = candidates.passages().len();
        let mut trie = Self {
            words: vec![String::new(); 2],
            nodes: vec![Node::new(passages)],
            answers: Vec::new(),
            passages,
        };
        let mut ids: HashMap<&str, TokenId> = HashMap::new();
        let mut known: HashMap<&str, Vec<TokenId>> = HashMap::new();
        let silence = vec![NO_ANSWER, END];
        for (z, quotables) in candidates.passages().iter().enumerate() {
            let of_passage = quotables.iter().map(|q| logits[q.input]).chain([no_answer]);
            let total = log_sum_exp(of_passage);
            for quotable in quotables {
                let tokens = known.entry(quotable.text).or_insert_with(|| {
                    let mut tokens: Vec<TokenId> =
                        words(quotable.text).map(|word| intern(&mut trie.words, &mut ids, word)).collect();
                    tokens.push(END);
                    trie.answers.push(tokens.clone());
                    tokens
                });
                trie.insert(z, tokens, logits[quotable.input] - total, Some(quotable.start));
            }
            trie.insert(z, &silence, no_answer - total, None);
        }
        trie.answers.push(silence);
        trie
    }

    /// The node of a prefix; `None` when no sentence has the prefix.
    pub(super) fn find(&self, tokens: &[TokenId]) -> Option<usize> {
        tokens.iter().try_fold(ROOT, |node, token| self.nodes[node].child(*token))
    }

    /// Adds the mass of one answer under passage `z` to all its prefixes.
    fn insert(&mut self, z: usize, tokens: &[TokenId], log_prob: f64, start: Option<usize>) {
        let mut at = ROOT;
        self.nodes[at].log_mass[z] = log_add(self.nodes[at].log_mass[z], log_prob);
        for token in tokens {
            at = match self.nodes[at].child(*token) {
                Some(child) => child,
                None => {
                    let child = self.nodes.len();
                    self.nodes.push(Node::new(self.passages));
                    self.nodes[at].children.push((*token, child));
                    child
                }
            };
            let node = &mut self.nodes[at];
            node.log_mass[z] = log_add(node.log_mass[z], log_prob);
            node.starts[z] = node.starts[z].or(start);
        }
    }
}

fn intern<'a>(words: &mut Vec<String>, ids: &mut HashMap<&'a str, TokenId>, word: &'a str) -> TokenId {
    *ids.entry(word).or_insert_with(|| {
        words.push(word.to_owned());
        TokenId::try_from(words.len() - 1).expect("fewer words than bytes in memory, fewer than 2^32")
    })
}

/// The words of a sentence, each with the whitespace after it.
fn words(sentence: &str) -> impl Iterator<Item = &str> {
    let mut rest = sentence;
    std::iter::from_fn(move || {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let space = rest[word..].find(|c: char| !c.is_whitespace()).unwrap_or(rest.len() - word);
        let (token, tail) = rest.split_at(word + space);
        rest = tail;
        (!token.is_empty()).then_some(token)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_join_to_the_sentence_again() {
        for text in ["", "one", "a  b\n\tc ", "\u{a0}x y\u{3000}語。"] {
            assert_eq!(words(text).collect::<String>(), text);
        }
        assert_eq!(words("a  b c").collect::<Vec<_>>(), ["a  ", "b ", "c"]);
    }
}
