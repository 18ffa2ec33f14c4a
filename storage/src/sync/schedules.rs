//! Programs of a few threads under many schedules.
//!
//! A thread that opens a scope of threads must not wait for anything else within it: shuttle 0.9
//! wakes it when they are done, whatever it waits for.
//!
//! `cargo test -p postil-storage --features schedules --lib schedules`; `POSTIL_SCHEDULES=50` is
//! the long form.

use postil_hostile::figures;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};
use std::sync::Arc;

/// Environment variable that multiplies the schedules of every program.
const TIMES: &str = "POSTIL_SCHEDULES";
/// Fixed seed, so that whether a change lands does not depend on luck.
const SEED: u64 = 20_201;
/// Number of steps in an order that a bug may need to be found with a known probability per
/// schedule: Burckhardt et al. 2010.
const DEPTH: usize = 3;
/// Stack bytes of a thread: sled's calls are deep.
const STACK_BYTES: usize = 1 << 20;

/// Runs `program` under that many schedules, times the factor in the environment: half of them
/// choose the next thread at random at each step, half give the threads priorities that change at a
/// few steps.
///
/// # Panics
/// If the program does, with the schedule for `shuttle::replay`; if its threads deadlock.
pub(crate) fn explore(of: &str, schedules: usize, program: impl Fn() + Send + Sync + 'static) {
    let times = std::env::var(TIMES).map_or(1, |times| times.parse().expect("a number of times"));
    let each = schedules * times / 2;
    let program = Arc::new(program);
    let ran = run(RandomScheduler::new_from_seed(SEED, each), &program)
        + run(PctScheduler::new_from_seed(SEED, DEPTH, each), &program);
    figures::report("schedules", &[("of", of.into()), ("schedules", (ran as u64).into())]);
}

fn run(scheduler: impl Scheduler + 'static, program: &Arc<impl Fn() + Send + Sync + 'static>) -> usize {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    // Otherwise it prints once that atomics are taken for sequentially consistent.
    config.silence_warnings = true;
    let program = Arc::clone(program);
    Runner::new(scheduler, config).run(move || program())
}
