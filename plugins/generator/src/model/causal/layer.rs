use candle_core::Result;
use postil_kernel::{BlockRows, Kernel};
use rayon::prelude::*;

use super::super::layers::{Activation, Linear, Lines};
use super::super::norm::Norm;
use super::super::parameters::{LoadError, Parameters};
use super::super::rotary::Rotary;
use super::config::CausalConfig;

/// Maximum number of lines for which threads divide the columns of a product; with more, they
/// divide the lines.
const FEW_LINES: usize = 48;
/// Maximum lines per task, a multiple of a tile's: their wide values then stay in the cache.
const TASK_LINES: usize = 96;
/// Number of lines that the products compute together.
const TILE_LINES: usize = 12;

pub(super) struct Layer {
    own_norm: Norm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    query_norm: Option<Norm>,
    key_norm: Option<Norm>,
    scale: f32,
    norm: Norm,
    gate: Linear,
    expand: Linear,
    contract: Linear,
    activation: Activation,
    /// Norms of the outputs of attention and of feed-forward.
    post_norms: Option<(Norm, Norm)>,
    /// True when the layer has the local rotary positions.
    pub(super) is_local: bool,
}

/// Queries, scaled, keys and values of lines; queries and keys are turned by their positions.
pub(super) struct Projected {
    pub(super) queries: Vec<f32>,
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
}

/// Buffers of one task.
#[derive(Default)]
struct Buffers {
    normed: Vec<f32>,
    codes: BlockRows,
    gate: Vec<f32>,
    inner: Vec<f32>,
    update: Vec<f32>,
}

impl Layer {
    pub(super) fn load(
        from: &Parameters<'_>,
        config: &CausalConfig,
        is_local: bool,
    ) -> std::result::Result<Self, LoadError> {
        let (width, inner, head) = (config.hidden_size, config.intermediate_size, config.head_width()?);
        let (heads, groups) = (config.num_attention_heads, config.groups());
        let (own, feed) = (from.under("self_attn"), from.under("mlp"));
        let head_norm = |name: &str| {
            own.contains(&format!("{name}.weight"))
                .then(|| Norm::rms(&own.under(name), head, config.rms_norm_eps, config.norm_offset))
                .transpose()
        };
        let norm = |name| Norm::rms(&from.under(name), width, config.rms_norm_eps, config.norm_offset);
        // Where outputs are normalized too, the name of the norm before the feed-forward layer is
        // that of the norm behind attention.
        let (before_feed, post_norms) = match config.post_norms {
            false => (norm("post_attention_layernorm")?, None),
            true => {
                let behind = (norm("post_attention_layernorm")?, norm("post_feedforward_layernorm")?);
                (norm("pre_feedforward_layernorm")?, Some(behind))
            }
        };
        Ok(Self {
            own_norm: norm("input_layernorm")?,
            query: Linear::load(&own.under("q_proj"), width, heads.saturating_mul(head))?,
            key: Linear::load(&own.under("k_proj"), width, groups.saturating_mul(head))?,
            value: Linear::load(&own.under("v_proj"), width, groups.saturating_mul(head))?,
            output: Linear::load(&own.under("o_proj"), heads.saturating_mul(head), width)?,
            query_norm: head_norm("q_norm")?,
            key_norm: head_norm("k_norm")?,
            scale: config.query_pre_attn_scalar.unwrap_or(head as f64).powf(-0.5) as f32,
            norm: before_feed,
            gate: Linear::load(&feed.under("gate_proj"), width, inner)?,
            expand: Linear::load(&feed.under("up_proj"), width, inner)?,
            contract: Linear::load(&feed.under("down_proj"), inner, width)?,
            activation: Activation::named("hidden_act", &config.hidden_act)?,
            post_norms,
            is_local,
        })
    }

    /// Maps states, `[lines, width]`, to queries, keys and values. `angles` has those of each
    /// line's position, `[lines, 2 * pairs]`.
    pub(super) fn project(
        &self,
        kernel: Kernel,
        states: &[f32],
        rotary: &Rotary,
        angles: &[f32],
    ) -> Result<Projected> {
        let pairs = 2 * rotary.pairs();
        let n = angles.len() / pairs;
        let (width, few, size) = (states.len() / n, n <= FEW_LINES, task_lines(n));
        let [mut queries, mut keys, mut values] =
            [&self.query, &self.key, &self.value].map(|map| vec![0f32; n * map.output()]);
        states
            .par_chunks(size * width)
            .zip(angles.par_chunks(size * pairs))
            .zip(queries.par_chunks_mut(size * self.query.output()))
            .zip(keys.par_chunks_mut(size * self.key.output()))
            .zip(values.par_chunks_mut(size * self.value.output()))
            .try_for_each_init(
                Buffers::default,
                |buffers, ((((states, angles), queries), keys), values)| {
                    let Buffers { normed, codes, .. } = buffers;
                    normed.resize(states.len(), 0.0);
                    self.own_norm.lines(kernel, states, normed);
                    let maps = [&self.query, &self.key, &self.value];
                    map(few, &maps, kernel, (normed, width, codes), &mut [queries, keys, values])?;
                    let turn = |lines: &mut [f32], norm: &Option<Norm>, output: usize| {
                        norm.iter().for_each(|norm| norm.each(kernel, lines));
                        for (line, angles) in lines.chunks_exact_mut(output).zip(angles.chunks_exact(pairs)) {
                            rotary.turn(angles, line);
                        }
                    };
                    turn(queries, &self.query_norm, self.query.output());
                    queries.iter_mut().for_each(|v| *v *= self.scale);
                    turn(keys, &self.key_norm, self.key.output());
                    Ok::<_, candle_core::Error>(())
                },
            )?;
        Ok(Projected { queries, keys, values })
    }

    /// Adds to states, `[lines, width]`, what attention found, then the feed-forward layer's result.
    pub(super) fn update(&self, kernel: Kernel, states: &mut [f32], context: &[f32]) -> Result<()> {
        let (width, context_width, inner) = (self.output.output(), self.query.output(), self.gate.output());
        let n = states.len() / width;
        let (few, size) = (n <= FEW_LINES, task_lines(n));
        states.par_chunks_mut(size * width).zip(context.par_chunks(size * context_width)).try_for_each_init(
            Buffers::default,
            |buffers, (states, context)| {
                let Buffers { normed, codes, gate, inner: lifted, update } = buffers;
                let n = states.len() / width;
                normed.resize(n * width, 0.0);
                update.resize(n * width, 0.0);
                gate.resize(n * inner, 0.0);
                lifted.resize(n * inner, 0.0);
                map(few, &[&self.output], kernel, (context, context_width, codes), &mut [update])?;
                self.post_norms.iter().for_each(|(behind, _)| behind.each(kernel, update));
                add(states, update);
                self.norm.lines(kernel, states, normed);
                let maps = [&self.gate, &self.expand];
                map(few, &maps, kernel, (normed, width, codes), &mut [gate, lifted])?;
                self.activation.gate(kernel, gate, lifted);
                map(few, &[&self.contract], kernel, (gate, inner, codes), &mut [update])?;
                self.post_norms.iter().for_each(|(_, behind)| behind.each(kernel, update));
                add(states, update);
                Ok(())
            },
        )
    }
}

/// Lines per task for `n` lines: all when they are few, else the same number for every thread.
fn task_lines(n: usize) -> usize {
    if n <= FEW_LINES {
        return n.max(1);
    }
    let threads = rayon::current_num_threads();
    let tasks = n.div_ceil(TASK_LINES).next_multiple_of(threads);
    n.div_ceil(tasks).next_multiple_of(TILE_LINES)
}

/// Maps lines of `width` by several maps, on all threads when they are few.
fn map(
    few: bool,
    maps: &[&Linear],
    kernel: Kernel,
    (values, width, codes): (&[f32], usize, &mut BlockRows),
    outs: &mut [&mut [f32]],
) -> Result<()> {
    Linear::round(maps, kernel, values, width, codes);
    let lines = Lines { values, codes };
    match few {
        true => Linear::map_few(maps, kernel, lines, outs),
        false => maps.iter().zip(outs).try_for_each(|(map, out)| map.map(kernel, lines, out)),
    }
}

fn add(lines: &mut [f32], more: &[f32]) {
    lines.iter_mut().zip(more).for_each(|(line, more)| *line += more);
}
