use candle_core::{Device, Result, Tensor};
use postil_contract::TokenId;

/// The ids as `[n, longest]`, padded with 0 on the right, and the lengths and the longest of them.
pub(super) fn padded(lines: &[Vec<TokenId>]) -> Result<(Tensor, Vec<usize>, usize)> {
    let lengths: Vec<usize> = lines.iter().map(Vec::len).collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let pad = |line: &Vec<TokenId>| {
        line.iter().copied().chain(std::iter::repeat(0)).take(longest).collect::<Vec<_>>()
    };
    let ids = Tensor::from_vec(lines.iter().flat_map(pad).collect(), (lines.len(), longest), &Device::Cpu)?;
    Ok((ids, lengths, longest))
}
