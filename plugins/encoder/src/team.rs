//! Several threads that share one computation: a leader runs through its steps, and helpers compute
//! parts of the current step.
//!
//! A question of a dozen tokens is computed in about a millisecond, in two dozen steps. Helpers
//! that slept between steps would take longer to wake up than to compute, so they spin. Waiting for
//! a helper whose core runs another process would take the leader longer than computing the part
//! itself, so it does that: a part may be computed twice, and the first result counts. Threads may
//! join as helpers at any time, after other work.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Number of parts per thread in a step: with more, less is computed twice; with fewer, less is
/// copied.
const PARTS: usize = 2;
/// Number of spins that a helper waits for a step before it yields: some tens of microseconds.
const SPINS: usize = 1000;
/// Number of spins between two looks at the clock.
const GLANCE: usize = 16;
/// Minimum time that a leader waits for its helpers' parts. It waits longer if its own parts took
/// longer: for the time they took.
const PATIENCE: Duration = Duration::from_micros(20);

/// One part of a step.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    index: usize,
    of: usize,
}

impl Part {
    /// The range of this part among `count` items. All parts, in order, cover every item.
    pub(crate) fn share(self, count: usize) -> Range<usize> {
        count * self.index / self.of..count * (self.index + 1) / self.of
    }
}

/// A function that computes one part: `[rows, components of the part]`.
type Compute<'m, S> = Box<dyn Fn(Part, &mut S, &mut Vec<f32>) + Send + Sync + 'm>;

struct Step<'m, S> {
    compute: Compute<'m, S>,
    /// Index of the next part that no thread has taken.
    next: AtomicUsize,
    parts: Vec<OnceLock<Vec<f32>>>,
}

impl<S> Step<'_, S> {
    /// Computes parts that no thread has taken, until there are none left.
    fn take(&self, space: &mut S) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.parts.len() {
                return;
            }
            self.compute(index, space);
        }
    }

    fn compute(&self, index: usize, space: &mut S) {
        let mut out = Vec::new();
        (self.compute)(Part { index, of: self.parts.len() }, space, &mut out);
        // A failed `set` is ignored: the other thread's result is the same.
        let _ = self.parts[index].set(out);
    }

    /// The result of a part that another thread has taken; computed here if it is not ready at
    /// `until`.
    fn part(&self, index: usize, until: Instant, space: &mut S) -> &[f32] {
        while self.parts[index].get().is_none() && Instant::now() < until {
            (0..GLANCE).for_each(|_| std::hint::spin_loop());
        }
        if self.parts[index].get().is_none() {
            self.compute(index, space);
        }
        self.parts[index].get().map_or(&[], Vec::as_slice)
    }
}

/// The meeting point of a leader and its helpers: the leader publishes each step here, and each
/// helper computes in an `S` of its own.
pub(crate) struct Team<'m, S> {
    step: Mutex<Option<Arc<Step<'m, S>>>>,
    /// Number of steps begun.
    begun: AtomicUsize,
    /// Number of threads that help.
    helpers: AtomicUsize,
    /// True once the leader is dropped.
    over: AtomicBool,
}

impl<'m, S> Team<'m, S> {
    /// A team without helpers.
    pub(crate) fn new() -> Self {
        let (begun, helpers) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { step: Mutex::default(), begun, helpers, over: AtomicBool::new(false) }
    }

    /// The leader, on the one thread that goes through the steps.
    pub(crate) fn lead(&self) -> Leader<'_, 'm, S> {
        Leader { team: self }
    }

    /// Number of helpers; `None` once the leader is dropped.
    pub(crate) fn helpers(&self) -> Option<usize> {
        (!self.over.load(Ordering::Acquire)).then(|| self.helpers.load(Ordering::Relaxed))
    }

    /// Computes parts until the leader is dropped; may be called at any time, also before there is
    /// a leader.
    pub(crate) fn help(&self, space: &mut S) {
        self.helpers.fetch_add(1, Ordering::Relaxed);
        self.take_part(space);
        self.helpers.fetch_sub(1, Ordering::Relaxed);
    }

    fn take_part(&self, space: &mut S) {
        let mut seen = 0;
        let mut turns = 0;
        while !self.over.load(Ordering::Acquire) {
            let begun = self.begun.load(Ordering::Acquire);
            if begun == seen {
                turns += 1;
                if turns < SPINS {
                    std::hint::spin_loop();
                } else {
                    std::thread::yield_now();
                }
                continue;
            }
            (seen, turns) = (begun, 0);
            let step = self.step.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(step) = step {
                step.take(space);
            }
        }
    }

    fn tell(&self, step: Option<Arc<Step<'m, S>>>) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }
}

/// The thread that runs through the steps. Dropping it releases the helpers.
pub(crate) struct Leader<'t, 'm, S> {
    team: &'t Team<'m, S>,
}

impl<'m, S> Leader<'_, 'm, S> {
    /// Computes one step, `[rows, components]`, into `out`, whose old content is lost. `compute` is
    /// called with the part to compute, a space, and a buffer for `[rows, components of the part]`;
    /// the parts' components lie side by side. It may run more than once for a part, also after
    /// `step` has returned.
    pub(crate) fn step(
        &mut self,
        rows: usize,
        space: &mut S,
        out: &mut Vec<f32>,
        compute: impl Fn(Part, &mut S, &mut Vec<f32>) + Send + Sync + 'm,
    ) {
        let helpers = self.team.helpers.load(Ordering::Relaxed);
        if helpers == 0 {
            compute(Part { index: 0, of: 1 }, space, out);
            return;
        }
        let parts = (0..(1 + helpers) * PARTS).map(|_| OnceLock::new()).collect();
        let step = Arc::new(Step { compute: Box::new(compute), next: AtomicUsize::new(0), parts });
        self.team.tell(Some(Arc::clone(&step)));
        self.team.begun.fetch_add(1, Ordering::Release);
        let began = Instant::now();
        step.take(space);
        let until = Instant::now() + began.elapsed().max(PATIENCE);
        let parts: Vec<&[f32]> = (0..step.parts.len()).map(|index| step.part(index, until, space)).collect();
        out.clear();
        for row in 0..rows {
            for part in &parts {
                let width = part.len() / rows;
                out.extend_from_slice(&part[row * width..][..width]);
            }
        }
        // The step's inputs can now be reused.
        self.team.tell(None);
    }
}

impl<S> Drop for Leader<'_, '_, S> {
    fn drop(&mut self) {
        self.team.over.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected value of row `row`, component `at`, after a step.
    fn value(step: usize, row: usize, at: usize) -> f32 {
        (step * 1000 + row * 100 + at) as f32
    }

    /// Runs steps of these widths and compares each with its expected values; `delay` is called
    /// before each part.
    fn run(
        threads: usize,
        rows: usize,
        widths: &[usize],
        delay: impl Fn(Part, &mut usize) + Copy + Send + Sync,
    ) {
        let team = Team::new();
        std::thread::scope(|scope| {
            for helper in 1..threads {
                let team = &team;
                scope.spawn(move || team.help(&mut { helper }));
            }
            while team.helpers() < Some(threads - 1) {
                std::thread::yield_now();
            }
            let mut leader = team.lead();
            let mut out = Vec::new();
            for (step, &width) in widths.iter().enumerate() {
                leader.step(rows, &mut 0, &mut out, move |part, thread, out| {
                    delay(part, thread);
                    out.clear();
                    let share = part.share(width);
                    out.extend((0..rows).flat_map(|row| share.clone().map(move |at| value(step, row, at))));
                });
                let expected = (0..rows).flat_map(|row| (0..width).map(move |at| value(step, row, at)));
                assert_eq!(out, expected.collect::<Vec<_>>(), "{threads} threads, step {step}");
            }
        });
    }

    #[test]
    fn each_step_has_all_parts_in_their_order() {
        let widths: Vec<usize> = (0..300).map(|step| step * 7 % 23).collect();
        for threads in 1..6 {
            for rows in [1, 3] {
                run(threads, rows, &widths, |_, _| {});
            }
        }
    }

    #[test]
    fn a_leader_does_not_wait_for_helpers_that_do_not_come_back() {
        let (held, started) = (AtomicUsize::new(0), Instant::now());
        run(3, 2, &[5; 40], |_, thread| {
            if *thread > 0 {
                held.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_secs(1));
            }
            // The first step does not end before both helpers hold one of its parts.
            while held.load(Ordering::Relaxed) < 2 {
                std::thread::yield_now();
            }
        });
        assert!(started.elapsed() < Duration::from_secs(20), "each of 40 steps was held up for a second");
    }

    #[test]
    fn helpers_go_when_the_leader_does() {
        let team: Team<'_, usize> = Team::new();
        std::thread::scope(|scope| {
            scope.spawn(|| team.help(&mut 0));
            drop(team.lead());
        });
        assert_eq!(team.helpers(), None);
    }

    #[test]
    fn a_helper_may_come_between_two_steps() {
        let team = Team::new();
        std::thread::scope(|scope| {
            let mut leader = team.lead();
            let mut out = Vec::new();
            for step in 0..300 {
                if step % 100 == 50 {
                    scope.spawn(|| team.help(&mut 0));
                }
                leader.step(2, &mut 0, &mut out, move |part, _, out| {
                    out.clear();
                    let share = part.share(17);
                    out.extend((0..2).flat_map(|row| share.clone().map(move |at| value(step, row, at))));
                });
                let expected = (0..2).flat_map(|row| (0..17).map(move |at| value(step, row, at)));
                assert_eq!(out, expected.collect::<Vec<_>>(), "step {step}");
            }
        });
    }
}
