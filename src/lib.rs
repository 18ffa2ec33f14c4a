//! Postil.

#[cfg(feature = "encoder")]
pub mod chunk;
#[cfg(feature = "encoder")]
pub mod extract;
