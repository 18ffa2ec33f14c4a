//! The primitives with which the threads of a store synchronize: locks, channels, atomics and the
//! threads themselves.
//!
//! Under the feature `schedules` they are shuttle's, which runs one thread at a time and decides at
//! each primitive which thread goes on (Burckhardt et al. 2010, "A randomized scheduler with
//! probabilistic guarantees of finding bugs"). Then a store works in [`schedules::explore`] only.
//! Counters that only show progress keep the real atomics.

#[cfg(feature = "schedules")]
mod checked;
#[cfg(all(test, feature = "schedules"))]
pub(crate) mod schedules;

#[cfg(feature = "schedules")]
pub(crate) use checked::{Condvar, Mutex, RwLock, atomic, channel, thread};
#[cfg(not(feature = "schedules"))]
pub(crate) use {
    crossbeam::channel,
    parking_lot::{Condvar, Mutex, RwLock},
    std::sync::atomic,
    std::thread,
};
