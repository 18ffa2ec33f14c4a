//! Citations of answers, and places of passages.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::json::dictionary;

/// The place of a passage in a document.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Place(postil::Place);

/// Places, as Python has them.
pub(crate) fn places(all: &[postil::Place]) -> Vec<Place> {
    all.iter().cloned().map(Place).collect()
}

#[pymethods]
impl Place {
    /// Key of the document.
    #[getter]
    fn document(&self) -> &str {
        &self.0.document
    }

    /// Title of the document; may be empty.
    #[getter]
    fn title(&self) -> &str {
        &self.0.title
    }

    /// Name of the document to show a reader.
    #[getter]
    fn source(&self) -> &str {
        &self.0.source
    }

    /// Bytes of the original document.
    #[getter]
    fn range(&self) -> (u64, u64) {
        (self.0.range.start, self.0.range.end)
    }

    /// The fields by name.
    pub(crate) fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = dictionary(py, &self.0)?;
        fields.set_item("source", self.source())?;
        fields.set_item("range", self.range())?;
        Ok(fields)
    }

    fn __repr__(&self) -> String {
        format!("Place(document={:?}, range={:?})", self.0.document, self.range())
    }
}

/// A passage behind an answer, with the exact probability that it was this one.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Citation(pub(crate) postil::Citation);

#[pymethods]
impl Citation {
    /// Position of the passage among the answer's passages.
    #[getter]
    fn passage(&self) -> usize {
        self.0.passage
    }

    /// p(passage | question, answer).
    #[getter]
    fn posterior(&self) -> f64 {
        self.0.posterior
    }

    /// p(passage | question).
    #[getter]
    fn prior(&self) -> f64 {
        self.0.prior
    }

    /// Nats that the answer loses without the passage.
    #[getter]
    fn leave_one_out(&self) -> Option<f64> {
        self.0.leave_one_out.into()
    }

    /// Key of the document.
    #[getter]
    fn document(&self) -> &str {
        &self.0.document
    }

    /// Title of the document; may be empty.
    #[getter]
    fn title(&self) -> &str {
        &self.0.title
    }

    /// Path of the headings above the passage; may be empty.
    #[getter]
    fn heading(&self) -> &str {
        &self.0.heading
    }

    /// Name of the document to show a reader.
    #[getter]
    fn source(&self) -> &str {
        &self.0.source
    }

    /// Bytes of the original document that the quote covers.
    #[getter]
    fn range(&self) -> (u64, u64) {
        (self.0.range.start, self.0.range.end)
    }

    /// Line of the original on which the quote begins, from 1; `None` where the text was extracted.
    #[getter]
    fn line(&self) -> Option<u64> {
        self.0.line
    }

    /// The words of the passage that support the answer.
    #[getter]
    fn quote(&self) -> &str {
        &self.0.quote
    }

    /// Bytes of the original document that the answer was copied from; `None` when that is not known.
    #[getter]
    fn copied(&self) -> Option<(u64, u64)> {
        self.0.copied.as_ref().map(|range| (range.start, range.end))
    }

    /// Other places that have the same passage.
    #[getter]
    fn copies(&self) -> Vec<Place> {
        places(&self.0.copies)
    }

    /// Exact similarity of question and passage.
    #[getter]
    fn score(&self) -> f32 {
        self.0.score
    }

    /// Score that the passage was ranked by.
    #[getter]
    fn relevance(&self) -> f32 {
        self.0.relevance
    }

    /// The fields by name.
    pub(crate) fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = dictionary(py, &self.0)?;
        fields.set_item("source", self.source())?;
        fields.set_item("range", self.range())?;
        fields.set_item("copied", self.copied())?;
        Ok(fields)
    }

    fn __repr__(&self) -> String {
        let (source, range, posterior) = (self.source(), self.range(), self.posterior());
        format!(
            "Citation(source={source:?}, range={range:?}, posterior={posterior:.2}, quote={:?})",
            self.quote()
        )
    }
}
