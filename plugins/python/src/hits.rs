//! Passages found for a text.

use std::sync::Arc;

use postil::Retrieved;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySlice};

use crate::arrow::{Column, Table, stream};
use crate::citations::{Place, places};
use crate::numbers::array;
use crate::values::object;

/// A passage that was found.
#[pyclass(frozen, module = "postil")]
#[derive(Clone)]
pub(crate) struct Hit(Arc<Vec<Retrieved>>, usize);

impl Hit {
    fn found(&self) -> &Retrieved {
        &self.0[self.1]
    }
}

#[pymethods]
impl Hit {
    /// Key of the document.
    #[getter]
    fn key(&self) -> &str {
        &self.found().hit.key
    }

    /// Key of the document, as citations name it.
    #[getter]
    fn document(&self) -> &str {
        self.key()
    }

    /// Row of the passage.
    #[getter]
    fn row(&self) -> u64 {
        self.found().hit.row
    }

    /// Exact similarity: the cosine, the inner product, or the negative Euclidean distance.
    #[getter]
    fn score(&self) -> f32 {
        self.found().hit.score
    }

    /// Score that passages are ranked by: of meaning and words.
    #[getter]
    fn relevance(&self) -> f32 {
        self.found().relevance
    }

    /// Word score, in [0, 1].
    #[getter]
    fn words(&self) -> f32 {
        self.found().words
    }

    /// Title of the document; may be empty.
    #[getter]
    fn title(&self) -> &str {
        &self.found().hit.title
    }

    /// Path of the headings above the passage; may be empty.
    #[getter]
    fn heading(&self) -> &str {
        &self.found().hit.heading
    }

    /// Text of the passage.
    #[getter]
    fn text(&self) -> &str {
        &self.found().hit.text
    }

    /// Metadata of the document.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        object(py, &self.found().hit.metadata)
    }

    /// Bytes of the document's text that `text` begins with, such as the header of a table.
    #[getter]
    fn lead(&self) -> (u64, u64) {
        (self.found().hit.lead.start, self.found().hit.lead.end)
    }

    /// Bytes of the document's text.
    #[getter]
    fn range(&self) -> (u64, u64) {
        (self.found().hit.range.start, self.found().hit.range.end)
    }

    /// Bytes of the original document.
    #[getter]
    fn source_range(&self) -> (u64, u64) {
        (self.found().hit.source_range.start, self.found().hit.source_range.end)
    }

    /// Other places that have the same passage.
    #[getter]
    fn copies(&self) -> Vec<Place> {
        places(&self.found().copies)
    }

    /// The fields by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        fields.set_item("key", self.key())?;
        fields.set_item("document", self.document())?;
        fields.set_item("row", self.row())?;
        fields.set_item("score", self.score())?;
        fields.set_item("relevance", self.relevance())?;
        fields.set_item("words", self.words())?;
        fields.set_item("title", self.title())?;
        fields.set_item("heading", self.heading())?;
        fields.set_item("text", self.text())?;
        fields.set_item("metadata", self.metadata(py)?)?;
        fields.set_item("lead", self.lead())?;
        fields.set_item("range", self.range())?;
        fields.set_item("source_range", self.source_range())?;
        let copies = self.copies().iter().map(|place| place.to_dict(py)).collect::<PyResult<Vec<_>>>()?;
        fields.set_item("copies", copies)?;
        Ok(fields)
    }

    fn __repr__(&self) -> String {
        format!("Hit(key={:?}, score={:.4}, text={:?})", self.key(), self.score(), beginning(self.text()))
    }
}

/// The first characters of a text.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The passages found for a text, best first: a sequence of [`Hit`].
#[pyclass(frozen, sequence, module = "postil")]
pub(crate) struct Hits(Arc<Vec<Retrieved>>);

impl Hits {
    pub(crate) fn new(found: Vec<Retrieved>) -> Self {
        Self(Arc::new(found))
    }

    fn all(&self) -> Vec<Hit> {
        (0..self.0.len()).map(|at| Hit(Arc::clone(&self.0), at)).collect()
    }
}

#[pymethods]
impl Hits {
    /// Keys of the documents.
    #[getter]
    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|found| found.hit.key.as_str()).collect()
    }

    /// Exact similarities: a numpy array where there is numpy.
    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let scores: Vec<f32> = self.0.iter().map(|found| found.hit.score).collect();
        array(py, &scores, None)
    }

    /// The hits as dictionaries.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let hits = self.all().iter().map(|hit| hit.to_dict(py)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, hits)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, at: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = at.cast::<PySlice>() {
            return PyList::new(py, self.all())?.as_any().get_item(slice);
        }
        let at: isize = at.extract()?;
        let from_start =
            if at < 0 { self.0.len().checked_sub(at.unsigned_abs()) } else { Some(at.unsigned_abs()) };
        match from_start.filter(|at| *at < self.0.len()) {
            Some(at) => Ok(Hit(Arc::clone(&self.0), at).into_pyobject(py)?.into_any()),
            None => Err(PyIndexError::new_err(format!("hit {at} of {}", self.0.len()))),
        }
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyList::new(py, self.all())?.as_any().try_iter()?.into_any())
    }

    /// The hits as an Arrow stream, for pyarrow, polars, pandas and duckdb.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = requested_schema;
        let hits = || self.0.iter().map(|found| &found.hit);
        let table = Table::new(vec![
            ("key", Column::texts(hits().map(|hit| hit.key.as_str()))),
            ("score", Column::Numbers(hits().map(|hit| hit.score).collect())),
            ("relevance", Column::Numbers(self.0.iter().map(|found| found.relevance).collect())),
            ("title", Column::texts(hits().map(|hit| hit.title.as_str()))),
            ("heading", Column::texts(hits().map(|hit| hit.heading.as_str()))),
            ("text", Column::texts(hits().map(|hit| hit.text.as_str()))),
            ("begin", Column::Whole(hits().map(|hit| hit.source_range.start).collect())),
            ("end", Column::Whole(hits().map(|hit| hit.source_range.end).collect())),
            ("metadata", Column::texts(hits().map(|hit| postil::json::object_text(&hit.metadata)))),
        ]);
        stream(py, table)
    }

    fn __repr__(&self) -> String {
        let hits: Vec<String> = self.all().iter().map(Hit::__repr__).collect();
        format!("[{}]", hits.join(",\n "))
    }
}
