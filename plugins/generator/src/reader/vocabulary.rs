use postil_contract::TokenId;
use postil_encoder::{Linear, Words};
use postil_kernel::{Kernel, threads};

use crate::log_sum_exp;

/// Number of words whose logits a thread computes at a time: their weights, 1.5 MB at 384
/// components, are read once for all rows.
const PART: usize = 2048;

/// The generator's distribution over words: embeddings, tied to the encoder's, times a query, plus
/// a bias that is -1e4 for words that are never generated. Computed in 16 bits, which changes
/// logits by less than 1e-3: most of an answer's steps are this product, and most of its time is
/// reading the weights.
pub(super) struct Vocabulary {
    /// The words in parts of [`PART`].
    parts: Vec<Linear>,
    words: usize,
}

/// Logits of every word for some queries.
pub(super) struct Logits {
    /// Logits in the order computed, `[parts][rows, words of the part]`: they are many, and joining
    /// them takes time.
    parts: Vec<Vec<f32>>,
    /// Log of the sum of exponentials of each row, `[rows]`.
    pub(super) totals: Vec<f32>,
}

impl Logits {
    /// Logits of a row, `[words]`, one slice per part.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = &[f32]> {
        let rows = self.totals.len();
        self.parts.iter().map(move |part| {
            let words = part.len() / rows;
            &part[row * words..][..words]
        })
    }
}

impl Vocabulary {
    pub(super) fn new(words: &Words, width: usize, bias: &[f32]) -> Self {
        let part = |(index, bias): (usize, &[f32])| {
            let weight: Vec<f32> = (0..bias.len()).flat_map(|word| words.row(index * PART + word)).collect();
            Linear::new(&weight, bias.to_vec(), width).rounded()
        };
        Self { parts: bias.chunks(PART).enumerate().map(part).collect(), words: bias.len() }
    }

    pub(super) fn len(&self) -> usize {
        self.words
    }

    /// The logit of one word for one query, `[width]`: bit for bit as in the result of
    /// [`Vocabulary::logits`].
    pub(super) fn logit(&self, query: &[f32], token: TokenId) -> f32 {
        let token = token as usize;
        self.parts[token / PART].apply_one(query, token % PART)
    }

    /// Logits of every word for `queries`, `[rows, width]`.
    pub(super) fn logits(&self, queries: &[f32], rows: usize, threads: usize) -> Logits {
        let shares: Vec<&[Linear]> = self.parts.chunks(self.parts.len().div_ceil(threads)).collect();
        let work = |thread: usize| -> Vec<(Vec<f32>, Vec<f64>)> {
            shares[thread].iter().map(|part| computed(part, queries)).collect()
        };
        let parts: Vec<_> = threads::on_each(shares.len(), work).into_iter().flatten().collect();
        let total = |row: usize| log_sum_exp(parts.iter().map(|(_, totals)| totals[row])) as f32;
        let totals = (0..rows).map(total).collect();
        Logits { parts: parts.into_iter().map(|(logits, _)| logits).collect(), totals }
    }
}

/// One part's logits, `[rows, words of the part]`, and each row's log total.
fn computed(part: &Linear, queries: &[f32]) -> (Vec<f32>, Vec<f64>) {
    let logits = part.apply(queries);
    let total = |row: &[f32]| Kernel::detect().log_sum_exp(row);
    let totals = logits.chunks_exact(part.outputs()).map(total).collect();
    (logits, totals)
}
