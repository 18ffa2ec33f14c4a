use postil_kernel::{Attention, Heads, Int16Rows};

use super::{BertModel, Packed};
use crate::EncoderError;

/// The buffers of a forward pass, kept from one to the next.
#[derive(Default)]
pub(crate) struct Workspace {
    /// `[tokens, hidden_size]`
    states: Vec<f32>,
    /// `[tokens, 3 * hidden_size]`: query, key, value.
    projected: Vec<f32>,
    /// `[tokens, hidden_size]`
    context: Vec<f32>,
    /// `[tokens, hidden_size]`
    update: Vec<f32>,
    /// `[FEED_FORWARD_ROWS, intermediate_size]`
    inner: Vec<f32>,
    attention: Attention,
    /// Left-hand sides of products of 16-bit integers.
    codes: Int16Rows,
}

/// Tokens taken through both feed-forward products together, so that the wide values between them
/// stay in the second-level cache.
const FEED_FORWARD_ROWS: usize = 48;

impl Workspace {
    /// What the last forward pass left: `[tokens, hidden_size]`.
    pub(crate) fn states(&self) -> &[f32] {
        &self.states
    }

    pub(super) fn states_mut(&mut self) -> &mut Vec<f32> {
        &mut self.states
    }
}

impl BertModel {
    /// The forward pass; the result is left in the workspace.
    pub(crate) fn run(&self, input: Packed<'_>, space: &mut Workspace) -> Result<(), EncoderError> {
        let (hidden, kernel) = (self.config.hidden_size, self.kernel);
        self.embed(input, space)?;
        let tokens = input.ids.len();
        let inner = self.config.intermediate_size;
        space.projected.resize(tokens * 3 * hidden, 0.0);
        space.context.resize(tokens * hidden, 0.0);
        space.update.resize(tokens * hidden, 0.0);
        space.inner.resize(FEED_FORWARD_ROWS * inner, 0.0);
        let heads =
            Heads { count: self.config.num_attention_heads, width: hidden / self.config.num_attention_heads };
        for layer in &self.layers {
            layer.query_key_value.run(kernel, &space.states, false, &mut space.projected, &mut space.codes);
            space.attention.run(kernel, heads, &space.projected, input.lengths, &mut space.context);
            layer.attention_output.run(kernel, &space.context, false, &mut space.update, &mut space.codes);
            let rows = space.update.chunks_exact_mut(hidden).zip(space.states.chunks_exact_mut(hidden));
            for (update, state) in rows {
                kernel.add_norm(state, update, &layer.attention_norm);
            }
            for states in space.states.chunks_mut(FEED_FORWARD_ROWS * hidden) {
                let rows = states.len() / hidden;
                let wide = &mut space.inner[..rows * inner];
                let update = &mut space.update[..rows * hidden];
                layer.intermediate.run(kernel, states, true, wide, &mut space.codes);
                layer.output.run(kernel, wide, false, update, &mut space.codes);
                for (state, update) in states.chunks_exact_mut(hidden).zip(update.chunks_exact(hidden)) {
                    kernel.add_norm(state, update, &layer.output_norm);
                }
            }
        }
        Ok(())
    }

    /// Word, position and kind embeddings, summed and normalized, into `space.states`.
    fn embed(&self, input: Packed<'_>, space: &mut Workspace) -> Result<(), EncoderError> {
        let below = |what, got: usize, limit: usize| {
            if got < limit { Ok(got) } else { Err(EncoderError::Input { what, got, limit }) }
        };
        let tokens = input.ids.len();
        let packed = input.lengths.iter().try_fold(0usize, |sum, length| sum.checked_add(*length));
        if packed != Some(tokens) || !(input.type_ids.is_empty() || input.type_ids.len() == tokens) {
            let got = packed.unwrap_or(usize::MAX).max(input.type_ids.len());
            return Err(EncoderError::Input {
                what: "sum of lengths or number of type ids",
                got,
                limit: tokens + 1,
            });
        }
        let hidden = self.config.hidden_size;
        space.states.clear();
        space.states.reserve(tokens * hidden);
        space.update.resize(tokens * hidden, 0.0);
        let mut index = 0;
        for &length in input.lengths {
            below("length of a sequence", length, self.config.max_position_embeddings + 1)?;
            for position in 0..length {
                let word = below("token id", input.ids[index] as usize, self.config.vocab_size)?;
                let kind = input.type_ids.get(index).map_or(0, |kind| *kind as usize);
                let kind = below("type id", kind, self.config.type_vocab_size)?;
                let kinds = &self.types[kind * hidden..][..hidden];
                let sums = self.words.row(word).zip(kinds).map(|(word, kind)| word + kind);
                space.states.extend(sums);
                let positions = &self.positions[position * hidden..][..hidden];
                let state = &mut space.states[index * hidden..];
                self.kernel.add_norm(state, positions, &self.embedding_norm);
                index += 1;
            }
        }
        Ok(())
    }
}
