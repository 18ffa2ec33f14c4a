//! Vectors as numbers: metrics, kernels and the best k. Pure, without I/O.

pub(crate) mod codes;
pub(crate) mod metric;
pub(crate) mod names;
pub(crate) mod nibbles;
pub(crate) mod precision;
pub(crate) mod rows;
pub(crate) mod top_k;
