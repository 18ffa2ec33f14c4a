use candle_core::{Device, Result, Tensor};

/// Keys and values of hypotheses, `[hypotheses * passages, groups, length, head]`.
#[derive(Clone)]
pub(in crate::model) struct KeyValues {
    pub(in crate::model) keys: Tensor,
    pub(in crate::model) values: Tensor,
}

/// Keys and values that all hypotheses under a passage share, `[passages, groups, length, head]`:
/// an encoder's output, or a prompt. Computed once, never copied per hypothesis.
pub(in crate::model) struct Shared {
    pub(super) held: KeyValues,
    /// Number of keys of each passage; the others are padding.
    pub(super) lengths: Vec<usize>,
    /// Bias of the scores, `[passages, 1, 1, length]`: 0, or -inf at padding.
    pub(super) bias: Tensor,
}

impl Shared {
    pub(in crate::model) fn new(keys: Tensor, values: Tensor, lengths: &[usize]) -> Result<Self> {
        let bias = padding_bias(lengths, keys.dim(2)?)?;
        Ok(Self { held: KeyValues { keys, values }, lengths: lengths.to_vec(), bias })
    }
}

/// Bias of the scores, `[passages, 1, 1, longest]`: 0 inside each length, -inf at the padding after
/// it.
pub(in crate::model) fn padding_bias(lengths: &[usize], longest: usize) -> Result<Tensor> {
    let bias = |length: usize, at: usize| if at < length { 0f32 } else { f32::NEG_INFINITY };
    let values: Vec<f32> =
        lengths.iter().flat_map(|length| (0..longest).map(move |at| bias(*length, at))).collect();
    Tensor::from_vec(values, (lengths.len(), 1, 1, longest), &Device::Cpu)
}
