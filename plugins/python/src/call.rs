//! Library calls: they run without the interpreter's lock, a panic becomes an exception, and long ones
//! end at Ctrl-C.
//!
//! Calls are counted, so that the interpreter can wait for those of other threads before it ends: a
//! thread that came back to an interpreter that is gone would be killed amid its frames.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use postil::Cancel;
use postil_kernel::threads::on_each;
use pyo3::prelude::*;

use crate::errors::{Failure, exception};

/// Time between two looks for signals.
const LOOK: Duration = Duration::from_millis(50);
/// Most looks for calls of other threads that end, before the interpreter ends regardless.
const MOST_LOOKS: usize = 200;

/// Number of library calls that run.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
/// True when the interpreter ends: long calls are cancelled, and none begins.
static ENDING: AtomicBool = AtomicBool::new(false);

/// A call that is counted until it is dropped.
struct Counted;

impl Counted {
    fn begin(py: Python<'_>) -> PyResult<Self> {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        let counted = Self;
        match ENDING.load(Ordering::SeqCst) {
            true => Err(exception(py, "Error", "the interpreter is ending")),
            false => Ok(counted),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs a call of the library that takes moments.
pub(crate) fn short<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let _counted = Counted::begin(py)?;
    py.detach(|| guarded(work))
}

/// Runs a call of the library that may take long: a signal whose handler raises cancels it.
pub(crate) fn long<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Cancel) -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let _counted = Counted::begin(py)?;
    let cancel = Cancel::default();
    let (done, ended) = (Mutex::new(false), Condvar::new());
    let (work, result) = (Mutex::new(Some(work)), Mutex::new(None));
    let run = || {
        if let Some(work) = work.lock().take() {
            *result.lock() = Some(guarded(|| work(&cancel)));
        }
        *done.lock() = true;
        ended.notify_all();
    };
    let watch = || -> Result<(), PyErr> {
        let mut raised = Ok(());
        let mut is_done = done.lock();
        while !*is_done {
            let waited = ended.wait_for(&mut is_done, LOOK);
            if !waited.timed_out() || *is_done {
                continue;
            }
            if ENDING.load(Ordering::SeqCst) {
                cancel.cancel();
                continue;
            }
            // Without the mutex: the work may end while this thread waits for the interpreter.
            let looked = parking_lot::MutexGuard::unlocked(&mut is_done, look_for_signals);
            if raised.is_ok() && looked.is_err() {
                cancel.cancel();
                raised = looked;
            }
        }
        raised
    };
    let watched = py.detach(|| {
        let mut results = on_each(2, |part| match part {
            0 => watch(),
            _ => {
                run();
                Ok(())
            }
        });
        results.swap_remove(0)
    });
    watched?;
    result.into_inner().unwrap_or_else(|| Err(Failure::Panic("a call ended without a result".to_owned())))
}

/// Runs the handlers of signals that came, on the main thread; the exception that one raised.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method is for one lifetime, not for any")]
fn look_for_signals() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}

/// Runs `work`, and makes a failure of its panic.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Failure::Panic(text.unwrap_or_else(|| "a panic without a message".to_owned())))
    })
}

/// Waits for the library calls of other threads, and lets none begin: `atexit` calls it.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    ENDING.store(true, Ordering::SeqCst);
    py.detach(|| {
        for _ in 0..MOST_LOOKS {
            if RUNNING.load(Ordering::SeqCst) == 0 {
                return;
            }
            std::thread::sleep(LOOK);
        }
    });
}

/// Panics, for the test that a panic is raised as an exception.
#[pyfunction]
pub(crate) fn fail(py: Python<'_>, message: String) -> PyResult<()> {
    short::<()>(py, || std::panic::panic_any(message)).map_err(|failure| failure.raised(py, None))
}
