//! Reports of writes.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::library;
use crate::json::dictionary;

/// The result of an ingest.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Ingested(pub(crate) postil::ingest::Ingested);

#[pymethods]
impl Ingested {
    /// New documents.
    #[getter]
    fn added(&self) -> u64 {
        self.0.added
    }

    /// Documents whose content had changed.
    #[getter]
    fn replaced(&self) -> u64 {
        self.0.replaced
    }

    /// Documents that were stored already.
    #[getter]
    fn unchanged(&self) -> u64 {
        self.0.unchanged
    }

    /// Documents removed.
    #[getter]
    fn removed(&self) -> u64 {
        self.0.removed
    }

    /// Documents kept although their file is missing.
    #[getter]
    fn stale(&self) -> u64 {
        self.0.stale
    }

    /// Passages embedded and committed.
    #[getter]
    fn passages(&self) -> u64 {
        self.0.passages
    }

    /// Documents and files that could not be ingested.
    #[getter]
    fn skipped(&self, py: Python<'_>) -> Vec<Skipped> {
        let one = |skipped: &postil::ingest::Skipped| Skipped {
            source: skipped.source.clone(),
            error: library(py, &skipped.error).into_value(py).into_any(),
            kept: skipped.kept,
        };
        self.0.skipped.iter().map(one).collect()
    }

    /// True when it was cancelled.
    #[getter]
    fn interrupted(&self) -> bool {
        self.0.interrupted
    }

    /// The fields by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dictionary(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let postil::ingest::Ingested { added, replaced, unchanged, removed, passages, skipped, .. } = &self.0;
        let skipped = skipped.len();
        format!(
            "Ingested(added={added}, replaced={replaced}, unchanged={unchanged}, removed={removed}, \
             passages={passages}, skipped={skipped})"
        )
    }
}

/// A document or file that could not be ingested.
#[pyclass(frozen, get_all, module = "postil")]
pub(crate) struct Skipped {
    source: String,
    error: Py<PyAny>,
    kept: bool,
}

#[pymethods]
impl Skipped {
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Skipped(source={:?}, error={:?})", self.source, self.error.bind(py).to_string())
    }
}

/// The result of an upsert.
#[pyclass(frozen, get_all, module = "postil")]
pub(crate) struct Committed {
    pub(crate) added: usize,
    pub(crate) replaced: usize,
}

#[pymethods]
impl Committed {
    /// The fields by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        fields.set_item("added", self.added)?;
        fields.set_item("replaced", self.replaced)?;
        Ok(fields)
    }

    fn __repr__(&self) -> String {
        format!("Committed(added={}, replaced={})", self.added, self.replaced)
    }
}

/// The result of a backup.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Copied(pub(crate) postil::Copied);

#[pymethods]
impl Copied {
    /// Bytes copied.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// True when it was cancelled; nothing is left of the copy then.
    #[getter]
    fn interrupted(&self) -> bool {
        self.0.interrupted
    }

    /// The fields by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dictionary(py, &self.0)
    }

    fn __repr__(&self) -> String {
        format!("Copied(bytes={}, interrupted={})", self.0.bytes, self.0.interrupted)
    }
}
