use std::ops::Range;

use postil_contract::{AnswerScores, Decoding, GenerateError, Generator, LogProbs, Passage, TokenId};

const VOCABULARY: usize = 3;
const END: TokenId = 0;

/// A generator over three tokens, the first of which ends, with answers of at most `longest` tokens.
///
/// A passage's distributions follow from its text and the prefix alone. With `gaps`, some tokens are
/// impossible under some passages, which then abstain on what follows.
pub(crate) struct TableGenerator {
    pub(crate) longest: usize,
    pub(crate) gaps: bool,
}

impl TableGenerator {
    /// The line of a passage: normalized, or wholly -inf after something it cannot say.
    fn line(&self, passage: &str, prefix: &[TokenId]) -> [f32; VOCABULARY] {
        let can_say = |i: usize| self.own_line(passage, &prefix[..i])[prefix[i] as usize] > f32::NEG_INFINITY;
        if (0..prefix.len()).all(can_say) {
            self.own_line(passage, prefix)
        } else {
            [f32::NEG_INFINITY; VOCABULARY]
        }
    }

    fn own_line(&self, passage: &str, prefix: &[TokenId]) -> [f32; VOCABULARY] {
        if prefix.len() + 1 >= self.longest {
            return [0.0, f32::NEG_INFINITY, f32::NEG_INFINITY];
        }
        let mut hash =
            passage.bytes().fold(17u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        hash = prefix
            .iter()
            .fold(hash, |h, t| (h ^ (u64::from(*t) + 5)).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29));
        let weights: [f64; VOCABULARY] = std::array::from_fn(|v| {
            let bits = (hash ^ (v as u64 + 1)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33;
            if self.gaps && v > 0 && bits.is_multiple_of(3) {
                0.0
            } else {
                0.05 + (bits % 1000) as f64 / 1000.0
            }
        });
        weights.map(|w| (w / weights.iter().sum::<f64>()).ln() as f32)
    }

    /// Every answer there is.
    pub(crate) fn all(&self) -> Vec<Vec<TokenId>> {
        let mut prefixes: Vec<Vec<TokenId>> = vec![Vec::new()];
        let mut all = Vec::new();
        for _ in 0..self.longest {
            all.extend(prefixes.iter().map(|p| [p.as_slice(), &[END]].concat()));
            prefixes = prefixes.iter().flat_map(|p| [1, 2].map(|t| [p.as_slice(), &[t]].concat())).collect();
        }
        all
    }
}

impl Generator for TableGenerator {
    fn name(&self) -> &str {
        "table"
    }

    fn start<'a>(
        &'a self,
        _: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        let rows = vec![Vec::new(); passages.len()];
        let passages = passages.iter().map(|p| p.text.to_owned()).collect();
        Ok(Box::new(TableDecoding { table: self, passages, rows }))
    }
}

struct TableDecoding<'a> {
    table: &'a TableGenerator,
    passages: Vec<String>,
    /// `[rows, passages]`
    rows: Vec<Vec<TokenId>>,
}

impl Decoding for TableDecoding<'_> {
    fn passages(&self) -> usize {
        self.passages.len()
    }

    fn vocabulary(&self) -> usize {
        VOCABULARY
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        let lines = self.rows.iter().zip(self.passages.iter().cycle());
        let lines = lines.flat_map(|(row, z)| self.table.line(z, row)).collect();
        LogProbs::new(self.passages.len(), VOCABULARY, lines)
    }

    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        let k = self.passages.len();
        let longer = |(i, (parent, token)): (usize, (&usize, &TokenId))| {
            [self.rows[parent * k + i % k].as_slice(), &[*token]].concat()
        };
        self.rows = parents.iter().zip(tokens).enumerate().map(longer).collect();
        Ok(())
    }

    fn restart(&mut self) {
        self.rows = vec![Vec::new(); self.passages.len()];
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        let score = |answer: &Vec<TokenId>| {
            let entry = |i: usize, z: &String| {
                let line = self.table.line(z, &answer[..i]);
                line.iter().any(|v| *v > f32::NEG_INFINITY).then(|| line[answer[i] as usize])
            };
            let values = (0..answer.len()).flat_map(|i| self.passages.iter().map(move |z| entry(i, z)));
            AnswerScores::new(self.passages.len(), values.collect())
        };
        answers.iter().map(score).collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token == END
    }

    fn no_answer(&self) -> Option<TokenId> {
        None
    }

    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        None
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        tokens.iter().filter(|t| **t != END).map(|t| if *t == 1 { 'a' } else { 'b' }).collect()
    }

    fn origin(&self, _: usize, _: &[TokenId]) -> Option<Range<usize>> {
        None
    }
}
