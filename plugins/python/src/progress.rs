//! Progress of long work, passed to a Python function.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use postil::{Cancel, Watch};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::Failure;

/// Least time between two calls of the function.
const PACE: Duration = Duration::from_millis(50);

/// Progress of long work; counts that do not apply are 0.
#[pyclass(frozen, get_all, module = "postil")]
pub(crate) struct Progress {
    total_bytes: Option<u64>,
    read_bytes: u64,
    documents_read: u64,
    documents_unchanged: u64,
    documents_committed: u64,
    embedded_bytes: u64,
    passages_embedded: u64,
    passages_committed: u64,
    questions_asked: u64,
    total_questions: Option<u64>,
    rows: u64,
    total_rows: Option<u64>,
}

#[pymethods]
impl Progress {
    /// The fields by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        fields.set_item("total_bytes", self.total_bytes)?;
        fields.set_item("read_bytes", self.read_bytes)?;
        fields.set_item("documents_read", self.documents_read)?;
        fields.set_item("documents_unchanged", self.documents_unchanged)?;
        fields.set_item("documents_committed", self.documents_committed)?;
        fields.set_item("embedded_bytes", self.embedded_bytes)?;
        fields.set_item("passages_embedded", self.passages_embedded)?;
        fields.set_item("passages_committed", self.passages_committed)?;
        fields.set_item("questions_asked", self.questions_asked)?;
        fields.set_item("total_questions", self.total_questions)?;
        fields.set_item("rows", self.rows)?;
        fields.set_item("total_rows", self.total_rows)?;
        Ok(fields)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Progress({})", self.to_dict(py)?))
    }
}

impl From<&postil::Progress> for Progress {
    fn from(progress: &postil::Progress) -> Self {
        Self {
            total_bytes: progress.total_bytes,
            read_bytes: progress.read_bytes,
            documents_read: progress.documents_read,
            documents_unchanged: progress.documents_unchanged,
            documents_committed: progress.documents_committed,
            embedded_bytes: progress.embedded_bytes,
            passages_embedded: progress.passages_embedded,
            passages_committed: progress.passages_committed,
            questions_asked: progress.questions_asked,
            total_questions: progress.total_questions,
            rows: progress.rows,
            total_rows: progress.total_rows,
        }
    }
}

/// A Python function that receives the progress of one piece of work, at most every 50 ms.
pub(crate) struct Told {
    function: Option<Py<PyAny>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    told: Option<Instant>,
    /// The newest progress that the function has not received.
    untold: Option<postil::Progress>,
    raised: Option<PyErr>,
}

impl Told {
    pub(crate) fn new(function: Option<Py<PyAny>>) -> Self {
        Self { function, state: Mutex::default() }
    }

    /// Runs `work` with a watch that calls the function; an exception that it raises cancels the work
    /// and is raised.
    pub(crate) fn watch<T>(
        &self,
        cancel: &Cancel,
        work: impl FnOnce(&Watch<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let report = |progress: &postil::Progress| {
            let mut state = self.state.lock();
            if state.told.is_some_and(|told| told.elapsed() < PACE) {
                state.untold = Some(*progress);
                return;
            }
            state.told = Some(Instant::now());
            state.untold = None;
            drop(state);
            self.tell(progress, cancel);
        };
        let watch = Watch::new().cancel(cancel);
        let result = work(&if self.function.is_some() { watch.progress(&report) } else { watch });
        let last = self.state.lock().untold.take();
        if let (Some(last), Ok(_)) = (last, &result) {
            self.tell(&last, cancel);
        }
        match self.state.lock().raised.take() {
            Some(raised) => Err(raised.into()),
            None => result,
        }
    }

    fn tell(&self, progress: &postil::Progress, cancel: &Cancel) {
        let Some(function) = &self.function else { return };
        let called = Python::attach(|py| function.call1(py, (Progress::from(progress),)).map(|_| ()));
        if let Err(raised) = called {
            cancel.cancel();
            self.state.lock().raised.get_or_insert(raised);
        }
    }
}
