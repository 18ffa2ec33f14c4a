//! Counts and sizes of a database.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::json::dictionary;

/// Counts and sizes of a database.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Stat(pub(crate) postil::Stat);

#[pymethods]
impl Stat {
    /// Number of documents.
    #[getter]
    fn documents(&self) -> u64 {
        self.0.documents
    }

    /// Number of passages, which are the rows that can be found.
    #[getter]
    fn passages(&self) -> u64 {
        self.0.passages
    }

    /// Removed rows that still take up space.
    #[getter]
    fn removed(&self) -> u64 {
        self.0.removed
    }

    /// Number of segment files.
    #[getter]
    fn segments(&self) -> usize {
        self.0.segments
    }

    /// Number of rows that no segment has yet.
    #[getter]
    fn growing_rows(&self) -> usize {
        self.0.growing_rows
    }

    /// Number of growing rows that are in the growing graph.
    #[getter]
    fn indexed_rows(&self) -> usize {
        self.0.indexed_rows
    }

    /// Rows of the segment under construction.
    #[getter]
    fn building_rows(&self) -> usize {
        self.0.building_rows
    }

    /// Rows of that segment that are linked.
    #[getter]
    fn built_rows(&self) -> usize {
        self.0.built_rows
    }

    /// Bytes of all files.
    #[getter]
    fn disk_bytes(&self) -> u64 {
        self.0.disk_bytes
    }

    /// Bytes of the segments.
    #[getter]
    fn index_bytes(&self) -> u64 {
        self.0.index_bytes
    }

    /// Bytes that searches read at random.
    #[getter]
    fn searched_bytes(&self) -> u64 {
        self.0.searched_bytes
    }

    /// Bytes of the segments that are in memory now.
    #[getter]
    fn resident_bytes(&self) -> Option<u64> {
        self.0.resident_bytes
    }

    /// Recall of searches by default, as measured when segments were made.
    #[getter]
    fn recall(&self) -> Option<f32> {
        self.0.recall
    }

    /// Number of committed batches.
    #[getter]
    fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Reason that the documents could not be rewritten.
    #[getter]
    fn rewrite_failure(&self) -> Option<&str> {
        self.0.rewrite_failure.as_deref()
    }

    /// Name of the encoder; empty for vectors of a caller.
    #[getter]
    fn encoder(&self) -> &str {
        &self.0.profile.encoder
    }

    /// Fingerprint of the encoder.
    #[getter]
    fn fingerprint(&self) -> &str {
        &self.0.profile.fingerprint
    }

    /// Number of components of every vector.
    #[getter]
    fn dimension(&self) -> usize {
        self.0.profile.dimension
    }

    /// Metric by which vectors are compared.
    #[getter]
    fn metric(&self) -> String {
        self.0.profile.metric.to_string()
    }

    /// Precision of stored vectors.
    #[getter]
    fn precision(&self) -> String {
        self.0.profile.precision.to_string()
    }

    /// The fields by name, with those of `postil stat --json`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = dictionary(py, &self.0)?;
        fields.set_item("disk_bytes", self.disk_bytes())?;
        fields.set_item("indexed_rows", self.indexed_rows())?;
        fields.set_item("building_rows", self.building_rows())?;
        fields.set_item("built_rows", self.built_rows())?;
        fields.set_item("generation", self.generation())?;
        Ok(fields)
    }

    fn __repr__(&self) -> String {
        let Self(stat) = self;
        let (documents, passages) = (stat.documents, stat.passages);
        format!("Stat(documents={documents}, passages={passages}, disk_bytes={})", stat.disk_bytes)
    }
}
