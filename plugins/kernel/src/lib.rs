//! Arithmetic by the fastest instructions of the CPU at hand: the distances of vectors, and the
//! operations of a transformer layer, from f32 slices to f32 slices: matrix product with its bias
//! and activation, in f32 or in 16-bit integers, attention, softmax, layer norm. One thread each;
//! callers divide the rows, or the panels of columns.
//!
//! Every operation exists at least twice: in plain Rust, which runs anywhere and is the oracle of
//! the tests, and for an instruction set, chosen at run time by a proof from `cpu.rs`. The product,
//! which takes most of the time, has a third version.
//!
//! file | responsibility
//! ---|---
//! `cpu.rs` | detection of the CPU, and the proofs of its instruction sets
//! `threads.rs` | the policy of threads, and those that compute
//! `distance/` | distances and inner products of two vectors or their codes
//! `kernel.rs` | the operations, by the fastest instructions available
//! `operands.rs` | operands other than a packed matrix
//! `panels.rs` | the right-hand side of a product, laid out as the product reads it
//! `attention.rs` | self-attention within each sequence
//! `int16/` | products of 16-bit integers, for linear layers
//! `blocks/` | products with matrices of 4 to 8 bits, as GGUF files have them
//! `coefficients.rs` | the polynomials of exp2 and of the normal distribution, and their errors
//! `portable.rs` | the operations in plain Rust
//! `cache.rs` | block sizes of products for the caches
//! `lanes.rs` | registers of AVX2: loads, stores, sums, exp2 and GELU
//! `avx2.rs` | the operations with AVX2 and FMA
//! `avx512.rs` | the product with AVX-512

mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod blocks;
#[cfg(target_arch = "x86_64")]
mod cache;
mod coefficients;
mod cpu;
pub mod distance;
mod int16;
mod kernel;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod operands;
mod panels;
mod portable;
pub mod threads;

pub use attention::{Attention, Heads, QUERY_ROWS};
pub use blocks::{BlockColumns, BlockFormat, BlockPanel, BlockPanels, BlockRows};
#[cfg(target_arch = "x86_64")]
pub use cpu::Avx2;
pub use int16::{Int16Columns, Int16Panels, Int16Rows};
pub use kernel::Kernel;
pub use operands::{Finish, Norm, Rows};
pub use panels::{Columns, PANEL, PanelRow, Panels, panels_of};

#[cfg(test)]
mod tests;
