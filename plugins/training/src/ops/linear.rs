use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use postil_kernel::{Finish, Kernel, PANEL, Panels, Rows, panels_of};

use super::slices::{column_sums, read, rows, slice, tensor, transposed};

/// Linear layer: `x`, `[rows, inputs]`, times the transpose of `weight`, `[outputs, inputs]`, plus
/// `bias`, `[outputs]`.
///
/// # Errors
/// candle's, when the shapes disagree.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op3(&weight.contiguous()?, bias, Linear { is_fixed: false })
}

/// As [`linear`], for a weight that takes no gradient.
///
/// # Errors
/// As [`linear`].
pub fn linear_fixed(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op3(&weight.contiguous()?, bias, Linear { is_fixed: true })
}

struct Linear {
    is_fixed: bool,
}

/// The product of `[rows, inner]` with packed columns.
fn product(a: &[f32], columns: &Panels, bias: &[f32]) -> Vec<f32> {
    let (inner, width) = (columns.inner(), columns.columns());
    let kernel = Kernel::detect();
    let mut out = vec![0.0; a.len() / inner * width];
    rows(&mut out, width, |first, out| {
        let count = out.len() / width;
        let rows = Rows { values: &a[first * inner..][..count * inner], stride: inner, rows: count };
        kernel.product(rows, columns.all(), Finish { bias, gelu: false }, out, width);
    });
    out
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((count, inputs), (outputs, taken)) = (l1.shape().dims2()?, l2.shape().dims2()?);
        if inputs != taken || l3.shape().elem_count() != outputs {
            candle_core::bail!("linear: {:?} by {:?} and {:?}", l1.shape(), l2.shape(), l3.shape());
        }
        let mut bias = slice(s3, l3)?.to_vec();
        bias.resize(panels_of(outputs) * PANEL, 0.0);
        let weight = Panels::from_linear(slice(s2, l2)?, outputs, inputs);
        Ok((CpuStorage::F32(product(slice(s1, l1)?, &weight, &bias)), (count, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (outputs, inputs) = weight.dims2()?;
        let count = x.dim(0)?;
        read(grad, |grad| {
            let of_x =
                read(weight, |weight| Ok(product(grad, &Panels::from_rows(weight, outputs, inputs), &[])))?;
            let of_bias = tensor(column_sums(grad, outputs), bias)?;
            let of_x = tensor(of_x, x)?;
            if self.is_fixed {
                return Ok((Some(of_x), None, Some(of_bias)));
            }
            let turned = transposed(grad, count, outputs);
            let of_weight = read(x, |x| Ok(product(&turned, &Panels::from_rows(x, count, inputs), &[])))?;
            Ok((Some(of_x), Some(tensor(of_weight, weight)?), Some(of_bias)))
        })
    }
}
