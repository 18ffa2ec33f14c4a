//! The sample that tests of several files share, and tests of the whole store.

pub(super) mod sample;
#[cfg(feature = "schedules")]
mod schedules;
