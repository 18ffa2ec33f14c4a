//! The operations, each by the fastest instructions of this machine.

#[cfg(target_arch = "x86_64")]
use super::cpu::Avx2;
use super::int16::{self, Int16Columns, Int16Rows};
use super::operands::{Finish, Norm, Rows};
use super::panels::{Columns, PANEL, panels_of};
use super::portable;

/// Number of exponentials summed in f32 before their sum is added in f64.
const SUMMED_IN_F32: usize = 1024;

/// An instruction set to compute with.
#[derive(Clone, Copy)]
pub enum Kernel {
    /// Plain Rust, for any machine.
    Portable,
    /// AVX2 and FMA; products use AVX-512, and those of 16-bit integers VNNI, where available.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

impl Kernel {
    /// The fastest kernel of this machine.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return Self::Avx2(avx2);
        }
        Self::Portable
    }

    /// Computes `out[r, c] = finish(sum over i of a[r, i] * b[i, c])`; rows of `out` are
    /// `out_stride` apart.
    pub fn product(
        self,
        a: Rows<'_>,
        b: Columns<'_>,
        finish: Finish<'_>,
        out: &mut [f32],
        out_stride: usize,
    ) {
        if a.rows == 0 || b.columns == 0 {
            return;
        }
        assert!(a.values.len() >= (a.rows - 1) * a.stride + b.inner, "left side too short");
        assert!(b.panels.len() >= panels_of(b.columns) * b.inner, "right side too short");
        assert!(
            finish.bias.is_empty() || finish.bias.len() >= panels_of(b.columns) * PANEL,
            "bias too short"
        );
        assert!(out.len() >= (a.rows - 1) * out_stride + b.columns, "output too short");
        match self {
            Self::Portable => portable::product(a, b, finish, out, out_stride),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.product(a, b, finish, out, out_stride),
        }
    }

    /// Rounds `rows`, each of `inner` values, to 16 bits for [`Kernel::int16_product`].
    pub fn round(self, rows: Rows<'_>, inner: usize, out: &mut Int16Rows) {
        if rows.rows > 0 {
            assert!(rows.values.len() >= (rows.rows - 1) * rows.stride + inner, "left side too short");
        }
        out.fill(rows, inner, |values, pairs| match self {
            Self::Portable => int16::portable::round(values, pairs),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.round(values, pairs),
        });
    }

    /// Computes the product as [`Kernel::product`] does, from rounded rows and columns.
    pub fn int16_product(
        self,
        a: &Int16Rows,
        b: Int16Columns<'_>,
        finish: Finish<'_>,
        out: &mut [f32],
        out_stride: usize,
    ) {
        if a.rows() == 0 || b.columns == 0 {
            return;
        }
        assert!(a.inner() == b.inner, "sums of different lengths");
        assert!(
            finish.bias.is_empty() || finish.bias.len() >= panels_of(b.columns) * PANEL,
            "bias too short"
        );
        assert!(out.len() >= (a.rows() - 1) * out_stride + b.columns, "output too short");
        match self {
            Self::Portable => int16::portable::product(a, b, finish, out, out_stride),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.int16_product(a, b, finish, out, out_stride),
        }
    }

    /// Replaces `row` by softmax(scale * row); all values become NaN if one is NaN. `scale` is
    /// positive, and the row's values are finite or NaN.
    pub fn softmax(self, row: &mut [f32], scale: f32) {
        match self {
            Self::Portable => portable::softmax(row, scale),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.softmax(row, scale),
        }
    }

    /// Computes `out[r]`, the dot product of `query` with row r of `rows`,
    /// `[out.len(), query.len()]`.
    pub fn dots(self, query: &[f32], rows: &[f32], out: &mut [f32]) {
        assert!(rows.len() == query.len() * out.len(), "one row for each product");
        match self {
            Self::Portable => portable::dots(query, rows, out),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.dots(query, rows, out),
        }
    }

    /// Adds to `out` the rows of `rows`, `[weights.len(), out.len()]`, each times its weight.
    pub fn add_weighted(self, weights: &[f32], rows: &[f32], out: &mut [f32]) {
        assert!(rows.len() == weights.len() * out.len(), "one row for each weight");
        match self {
            Self::Portable => portable::add_weighted(weights, rows, out),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.add_weighted(weights, rows, out),
        }
    }

    /// Log of the sum of exponentials, to 1e-6; -inf when there is no value above -inf, NaN if a
    /// value is NaN.
    pub fn log_sum_exp(self, row: &[f32]) -> f64 {
        let (most, is_number) = match self {
            Self::Portable => portable::most(row),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.most(row),
        };
        if !is_number {
            return f64::NAN;
        }
        if most.is_infinite() {
            return f64::from(most);
        }
        let part = |part: &[f32]| match self {
            Self::Portable => portable::sum_exp(part, most),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.sum_exp(part, most),
        };
        let sum: f64 = row.chunks(SUMMED_IN_F32).map(|values| f64::from(part(values))).sum();
        f64::from(most) + sum.ln()
    }

    /// Replaces each value of `gate` by silu(gate) * value, with silu(x) = x / (1 + exp(-x)).
    pub fn silu_gate(self, gate: &mut [f32], values: &[f32]) {
        assert!(gate.len() == values.len(), "one value for each gate");
        match self {
            Self::Portable => portable::silu_gate(gate, values),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.silu_gate(gate, values),
        }
    }

    /// Replaces `row` by the layer norm of `row + residual`, all of one length.
    pub fn add_norm(self, row: &mut [f32], residual: &[f32], norm: &Norm) {
        let width = row.len();
        assert!(
            residual.len() == width && norm.weight.len() == width && norm.bias.len() == width,
            "widths differ"
        );
        match self {
            Self::Portable => portable::add_norm(row, residual, norm),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.add_norm(row, residual, norm),
        }
    }
}
