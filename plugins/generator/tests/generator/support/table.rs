use postil_contract::{Decoding, GenerateError, Generator, Passage, TokenId};

use super::lines::{LineDecoding, Lines};

const VOCABULARY: usize = 3;
const END: TokenId = 0;

/// A generator over three tokens, the first of which ends, with answers of at most `longest`
/// tokens.
///
/// A passage's distributions depend on its text and the prefix alone. With `gaps`, some tokens are
/// impossible under some passages, which then abstain from the tokens after them.
pub(crate) struct TableGenerator {
    pub(crate) longest: usize,
    pub(crate) gaps: bool,
}

impl TableGenerator {
    /// The line of a passage that could say the prefix.
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

    /// All possible answers.
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
        Ok(LineDecoding::start(self, passages))
    }
}

impl Lines for TableGenerator {
    fn vocabulary(&self) -> usize {
        VOCABULARY
    }

    fn line(&self, passage: &str, prefix: &[TokenId]) -> Vec<f32> {
        let can_say = |i: usize| self.own_line(passage, &prefix[..i])[prefix[i] as usize] > f32::NEG_INFINITY;
        let line = if (0..prefix.len()).all(can_say) {
            self.own_line(passage, prefix)
        } else {
            [f32::NEG_INFINITY; VOCABULARY]
        };
        line.to_vec()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token == END
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        tokens.iter().filter(|t| **t != END).map(|t| if *t == 1 { 'a' } else { 'b' }).collect()
    }
}
