use std::ops::Range;
use std::sync::Arc;

use postil_kernel::{Attention, Heads, PANEL, panels_of};

use super::{BertModel, Packed};
use crate::EncoderError;
use crate::linear::Input;
use crate::team::{Leader, Team};

/// The buffers of a forward pass, reused by the next.
#[derive(Default)]
pub(crate) struct Workspace {
    /// States of the tokens, `[tokens, hidden_size]`.
    states: Vec<f32>,
    /// Input of a step.
    input: Arc<Input>,
    /// Result of attention, `[tokens, hidden_size]`.
    context: Vec<f32>,
    /// Term to add to the states, `[tokens, hidden_size]`.
    update: Vec<f32>,
    /// Values inside the feed-forward part, `[FEED_FORWARD_ROWS, intermediate_size]`.
    wide: Vec<f32>,
    heads: HeadsSpace,
}

/// Buffers for the attention of some heads.
#[derive(Default)]
pub(crate) struct HeadsSpace {
    /// Query, key and value, `[tokens, 3 * width of the heads]`.
    projected: Vec<f32>,
    attention: Attention,
}

/// Number of tokens that pass through both feed-forward products together, so that the wide values
/// between the products stay in the second-level cache.
const FEED_FORWARD_ROWS: usize = 48;

impl Workspace {
    /// States that the last forward pass left: `[tokens, hidden_size]`.
    pub(crate) fn states(&self) -> &[f32] {
        &self.states
    }
}

impl BertModel {
    /// The state of every token after the last layer, `[tokens, hidden_size]`, in the order of
    /// `input`.
    ///
    /// # Errors
    /// [`EncoderError::Input`] for a token, kind or length that is out of range.
    pub fn forward(&self, input: Packed<'_>) -> Result<Vec<f32>, EncoderError> {
        let mut workspace = Workspace::default();
        self.run(input, &mut Team::new().lead(), &mut workspace)?;
        Ok(std::mem::take(&mut workspace.states))
    }

    /// True when a forward pass can be divided: heads are whole panels of weights.
    pub(crate) fn divides(&self) -> bool {
        (self.config.hidden_size / self.config.num_attention_heads).is_multiple_of(PANEL)
    }

    /// Runs the forward pass; the result is left in the workspace.
    pub(crate) fn run<'m>(
        &'m self,
        given: Packed<'_>,
        leader: &mut Leader<'_, 'm, HeadsSpace>,
        space: &mut Workspace,
    ) -> Result<(), EncoderError> {
        let (hidden, kernel) = (self.config.hidden_size, self.kernel);
        self.embed(given, space)?;
        let tokens = given.ids.len();
        let count = self.config.num_attention_heads;
        let width = hidden / count;
        let lengths: Arc<[usize]> = given.lengths.into();
        let Workspace { states, input, context, update, wide, heads } = space;
        for layer in &self.layers {
            let (given, lengths) = (layer.query_key_value.take(kernel, states, input), Arc::clone(&lengths));
            leader.step(tokens, heads, context, move |part, space, context| {
                let own = part.share(count);
                let panels = projections(hidden, own.start * width..own.end * width);
                layer.query_key_value.run(kernel, &given, false, panels, &mut space.projected);
                context.resize(tokens * own.len() * width, 0.0);
                let heads = Heads { count: own.len(), width };
                space.attention.run(kernel, heads, &space.projected, &lengths, context);
            });
            let given = layer.attention_output.take(kernel, context, input);
            leader.step(tokens, heads, update, move |part, _, update| {
                let own = part.share(panels_of(hidden));
                layer.attention_output.run(kernel, &given, false, [own], update);
            });
            for (update, state) in update.chunks_exact(hidden).zip(states.chunks_exact_mut(hidden)) {
                kernel.add_norm(state, update, &layer.attention_norm);
            }
            for states in states.chunks_mut(FEED_FORWARD_ROWS * hidden) {
                let rows = states.len() / hidden;
                let given = layer.intermediate.take(kernel, states, input);
                leader.step(rows, heads, wide, move |part, _, wide| {
                    let own = part.share(panels_of(layer.intermediate.outputs()));
                    layer.intermediate.run(kernel, &given, true, [own], wide);
                });
                let given = layer.output.take(kernel, wide, input);
                leader.step(rows, heads, update, move |part, _, update| {
                    let own = part.share(panels_of(hidden));
                    layer.output.run(kernel, &given, false, [own], update);
                });
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

/// The panels of query, key and value, each `[hidden]` side by side, for some components of each.
fn projections(hidden: usize, components: Range<usize>) -> [Range<usize>; 3] {
    if components.len() == hidden {
        // One range, since query and key may end inside a panel.
        return [0..panels_of(3 * hidden), 0..0, 0..0];
    }
    [0, hidden, 2 * hidden].map(|at| (at + components.start) / PANEL..(at + components.end) / PANEL)
}
