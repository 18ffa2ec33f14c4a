//! Hostile input for tests: good bytes made bad, run through a reader that must stay calm.
//!
//! | file | responsibility |
//! |---|---|
//! | mutate | good bytes made bad, reproducibly |
//! | memory | how much a case allocates at most |
//! | run | a target under many cases: no panic, no long time, no large memory; what was found is kept |
//! | figures | counts for the reliability table |
//!
//! Cases start from valid inputs and stay near them, so that they get past the first checks in the seconds that a test
//! has; `POSTIL_FUZZ_TIMES=50 cargo test -- mutated` is the long form. Beside it, `tests/coverage` is guided by coverage.
#![deny(unsafe_code)]

pub mod figures;
pub mod memory;
mod mutate;
mod run;

pub use mutate::Mutator;
pub use run::Target;
