use postil_checkpoint::{CheckpointError, Weights};

/// Word embeddings, `[vocab_size, hidden_size]`: as f32, or as one byte each with a scale per row.
pub struct Words {
    hidden: usize,
    table: Table,
}

enum Table {
    Float(Vec<f32>),
    /// Int8 codes: a value is the code times its row's scale.
    Codes {
        codes: Vec<i8>,
        scales: Vec<f32>,
    },
}

impl Words {
    /// Loads `{prefix}weight`, or `{prefix}codes` with `{prefix}scale` when the weights have those.
    pub(super) fn load(
        weights: &Weights,
        prefix: &str,
        words: usize,
        hidden: usize,
    ) -> Result<Self, CheckpointError> {
        let codes = format!("{prefix}codes");
        let table = match weights.entry(&codes) {
            Some(_) => Table::Codes {
                codes: weights.codes(&codes, &[words, hidden])?,
                scales: weights.values(&format!("{prefix}scale"), &[words])?,
            },
            None => Table::Float(weights.values(&format!("{prefix}weight"), &[words, hidden])?),
        };
        Ok(Self { hidden, table })
    }

    /// The embedding of one token, `[hidden_size]`. Panics when `token` is not in the vocabulary.
    pub fn row(&self, token: usize) -> impl ExactSizeIterator<Item = f32> {
        let at = token * self.hidden..(token + 1) * self.hidden;
        // One iterator for both kinds: a float is a code with scale 1.
        let (floats, codes, scale) = match &self.table {
            Table::Float(values) => (&values[at], &[][..], 1.0),
            Table::Codes { codes, scales } => (&[][..], &codes[at], scales[token]),
        };
        (0..self.hidden).map(move |i| match floats.get(i) {
            Some(value) => *value,
            None => f32::from(codes[i]) * scale,
        })
    }
}
