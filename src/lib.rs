//! Postil.

#[cfg(feature = "encoder")]
pub mod chunk;
