//! Products of 16-bit integers, for linear layers: with half the bytes of f32 and twice the
//! products per instruction.
//!
//! A row on the left and a column on the right are cut into blocks of `BLOCK` terms; each block is
//! multiplied by a scale of its own and rounded to codes. Within a block sums are exact in 32 bits:
//! the scales are chosen so that a block's codes have a Euclidean length of at most `LONGEST`
//! before rounding, so that by Cauchy-Schwarz no sum of their products reaches 2^31. Blocks are
//! added up in f32. A code is off by at most half a step; for terms of similar size a sum is off by
//! about 1e-4 of the product of its row's and column's lengths, and a term much larger than the
//! others costs precision in its own block only.
//!
//! All kernels give the same bits for the same codes.
//!
//! file | responsibility
//! ---|---
//! `codes.rs` | rows and columns as codes
//! `columns.rs` | a weight matrix in codes
//! `portable.rs` | rounding and product in plain Rust
//! `avx2.rs` | the same with AVX2
//! `avx512.rs` | the product with AVX-512 and VNNI

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
mod codes;
mod columns;
pub(super) mod portable;

pub use codes::{Int16Columns, Int16Rows};
pub use columns::Int16Panels;

#[cfg(test)]
mod tests;
