mod keys;
mod step;

use candle_core::{D, Result, Tensor};
use candle_nn::ops::softmax_last_dim;

pub(super) use keys::{KeyValues, Shared, padding_bias};

/// Reshapes `[n, length, heads * head]` to `[n, heads, length, head]`.
pub(super) fn split_heads(x: &Tensor, heads: usize) -> Result<Tensor> {
    let (n, length, width) = x.dims3()?;
    x.reshape((n, length, heads, width / heads))?.transpose(1, 2)?.contiguous()
}

/// The inverse of [`split_heads`].
fn join_heads(x: &Tensor) -> Result<Tensor> {
    let (n, heads, length, head) = x.dims4()?;
    x.transpose(1, 2)?.contiguous()?.reshape((n, length, heads * head))
}

/// Computes attention of `queries`, `[n, heads, length, head]` and already scaled, to a
/// hypothesis's own keys (with a bias that broadcasts to `[n, heads, length, own length]`), to
/// shared ones, or to both under one softmax. Heads may outnumber key groups; those of a group are
/// consecutive.
pub(super) fn attend(
    queries: &Tensor,
    own: Option<(&KeyValues, Option<&Tensor>)>,
    shared: Option<&Shared>,
) -> Result<Tensor> {
    let (n, heads, length, head) = queries.dims4()?;
    if length == 1 {
        return step::attend(queries, own, shared);
    }
    let groups = match (own, shared) {
        (Some((own, _)), _) => own.keys.dim(1)?,
        (None, Some(shared)) => shared.held.keys.dim(1)?,
        (None, None) => candle_core::bail!("attention to nothing"),
    };
    let q = queries.reshape((n, groups, heads / groups * length, head))?;
    let own_scores = match own {
        None => None,
        Some((own, bias)) => {
            let scores = q.matmul(&own.keys.t()?)?;
            Some(match bias {
                None => scores,
                Some(bias) => {
                    let by_head = scores.reshape((n, heads, length, ()))?.broadcast_add(bias)?;
                    by_head.reshape(scores.shape())?
                }
            })
        }
    };
    let mixed = match (own, own_scores, shared) {
        (Some((own, _)), Some(scores), None) => softmax_last_dim(&scores)?.matmul(&own.values)?,
        (own, own_scores, Some(shared)) => {
            let passages = shared.held.keys.dim(0)?;
            let scores =
                by_passage(&q, passages)?.matmul(&shared.held.keys.t()?)?.broadcast_add(&shared.bias)?;
            match (own, own_scores) {
                (Some((own, _)), Some(own_scores)) => {
                    let scores = by_hypothesis(&scores, n)?;
                    let split = scores.dim(D::Minus1)?;
                    let weights = softmax_last_dim(&Tensor::cat(&[&scores, &own_scores], D::Minus1)?)?;
                    let there = weights.narrow(D::Minus1, 0, split)?.contiguous()?;
                    let here =
                        weights.narrow(D::Minus1, split, weights.dim(D::Minus1)? - split)?.contiguous()?;
                    let there = by_passage(&there, passages)?.matmul(&shared.held.values)?;
                    (here.matmul(&own.values)? + by_hypothesis(&there, n)?)?
                }
                _ => by_hypothesis(&softmax_last_dim(&scores)?.matmul(&shared.held.values)?, n)?,
            }
        }
        _ => candle_core::bail!("attention to nothing"),
    };
    join_heads(&mixed.reshape((n, heads, length, head))?)
}

/// Reshapes `[hypotheses * passages, groups, m, d]` to `[passages, groups, hypotheses * m, d]`.
fn by_passage(x: &Tensor, passages: usize) -> Result<Tensor> {
    let (n, groups, m, d) = x.dims4()?;
    let rows = n / passages;
    if rows == 1 {
        return Ok(x.clone());
    }
    x.reshape(&[rows, passages, groups, m, d][..])?.permute([1, 2, 0, 3, 4])?.contiguous()?.reshape((
        passages,
        groups,
        rows * m,
        d,
    ))
}

/// The inverse of [`by_passage`].
fn by_hypothesis(x: &Tensor, n: usize) -> Result<Tensor> {
    let (passages, groups, all, d) = x.dims4()?;
    let rows = n / passages;
    if rows == 1 {
        return Ok(x.clone());
    }
    let m = all / rows;
    x.reshape(&[passages, groups, rows, m, d][..])?
        .permute([2, 0, 1, 3, 4])?
        .contiguous()?
        .reshape((n, groups, m, d))
}
