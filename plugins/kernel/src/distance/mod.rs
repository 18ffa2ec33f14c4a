//! Distances and inner products of two vectors, by the fastest instructions of this CPU.
//!
//! Lengths must agree; the extra components of a longer slice are ignored.
//!
//! file | responsibility
//! ---|---
//! `dot.rs` | the inner product
//! `squared_l2.rs` | the squared Euclidean distance
//! `codes.rs` | inner products of components of 8 and 4 bits
//! `prefetch.rs` | fetching a row into the caches
//! `portable.rs` | the loops in plain Rust
//! `avx2.rs` | the loops with AVX2 and FMA
//! `avx512.rs` | the loops over codes with AVX-512 and VNNI
//! `neon.rs` | the loops for 64-bit ARM
//!
//! To add a distance of f32, add a file beside `dot.rs`: it gives the loops the term of one
//! component, once for each instruction set, and compares them in a test.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod codes;
mod dot;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod prefetch;
mod squared_l2;
#[cfg(test)]
mod tests;

pub use codes::{dot_codes, dot_codes_of_four, dot_nibbles, dot_nibbles_of_four};
pub use dot::dot;
pub use prefetch::prefetch;
pub use squared_l2::squared_l2;
