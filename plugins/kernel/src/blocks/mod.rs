//! Products with matrices in the block formats of GGUF files: 4 to 8 bits for each value, and a
//! scale for each 16 or 32 of them.
//!
//! The matrix is laid out anew once, as panels of columns whose codes a product reads in order; its
//! values stay exactly those of the file. The left-hand rows are rounded to 16-bit codes with a
//! scale for each block of 32, so that a product is that of the rows within 1 / 65,534 of the
//! greatest of each 32 values. Sums within a block are exact in 32 bits; blocks are added up in
//! f32, in one order on every machine, so that all kernels give the same bits.
//!
//! file | responsibility
//! ---|---
//! `format.rs` | the formats: their blocks, decoded
//! `panels.rs` | a matrix laid out for products
//! `rows.rs` | rows in 16-bit codes, and their sums
//! `portable.rs` | rounding and product in plain Rust
//! `avx2.rs` | the same with AVX2
//! `avx512.rs` | the product with AVX-512 and VNNI

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod format;
mod panels;
mod portable;
mod rows;
#[cfg(test)]
mod tests;

pub use format::BlockFormat;
pub use panels::{BlockColumns, BlockPanel, BlockPanels};
pub use rows::BlockRows;

use super::kernel::Kernel;
use super::operands::Rows;
use super::panels::{PANEL, panels_of};
use format::BLOCK;

impl Kernel {
    /// Rounds `rows`, each of `inner` values, to 16 bits for [`Kernel::block_product`]. `inner` is a
    /// multiple of 32.
    pub fn round_blocks(self, rows: Rows<'_>, inner: usize, out: &mut BlockRows) {
        assert!(inner.is_multiple_of(BLOCK), "rows of whole blocks");
        if rows.rows > 0 {
            assert!(rows.values.len() >= (rows.rows - 1) * rows.stride + inner, "left side too short");
        }
        out.fill(rows, inner, |values, pairs| match self {
            Self::Portable => portable::round(values, pairs),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.round_block(values, pairs),
        });
    }

    /// Computes `out[r, c] = bias[c] + sum over i of a[r, i] * b[i, c]`; rows of `out` are
    /// `out_stride` apart. `bias` is padded to whole panels, or empty.
    pub fn block_product(
        self,
        a: &BlockRows,
        b: BlockColumns<'_>,
        bias: &[f32],
        out: &mut [f32],
        out_stride: usize,
    ) {
        if a.rows() == 0 || b.columns == 0 {
            return;
        }
        assert!(a.inner() == b.inner, "sums of different lengths");
        assert!(bias.is_empty() || bias.len() >= panels_of(b.columns) * PANEL, "bias too short");
        assert!(out.len() >= (a.rows() - 1) * out_stride + b.columns, "output too short");
        match self {
            Self::Portable => portable::product(a, b, bias, out, out_stride),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.block_product(a, b, bias, out, out_stride),
        }
    }
}
