//! Answers.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::citations::{Citation, Place, places};
use crate::html::html;
use crate::json::{dictionary, python};

/// An answer and where it came from.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Answer(postil::Answer);

impl From<postil::Answer> for Answer {
    fn from(answer: postil::Answer) -> Self {
        Self(answer)
    }
}

#[pymethods]
impl Answer {
    /// The answer; empty when there is none.
    #[getter]
    fn text(&self) -> &str {
        &self.0.text
    }

    /// The model it was marginalized under: `sequence` or `token`.
    #[getter]
    fn mode(&self) -> String {
        self.0.mode.to_string()
    }

    /// True when there is no answer.
    #[getter]
    fn no_answer(&self) -> bool {
        self.0.no_answer
    }

    /// Reason that no answer is given; `None` when one is.
    #[getter]
    fn withheld<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.0.withheld)
    }

    /// True when the answer is complete.
    #[getter]
    fn finished(&self) -> bool {
        self.0.finished
    }

    /// Probability of the answer.
    #[getter]
    fn probability(&self) -> f64 {
        self.0.probability
    }

    /// Natural logarithm of its probability.
    #[getter]
    fn log_probability(&self) -> f64 {
        self.0.log_probability
    }

    /// Share of answers like this one that are right; `None` when that is not known.
    #[getter]
    fn confidence(&self) -> Option<f64> {
        self.0.confidence
    }

    /// Probability of "no answer".
    #[getter]
    fn no_answer_probability(&self) -> f64 {
        self.0.no_answer_probability
    }

    /// Score that decides about abstaining.
    #[getter]
    fn abstention_score(&self) -> f64 {
        self.0.abstention_score
    }

    /// Tokens, each with its probability and posteriors.
    #[getter]
    fn tokens<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.0.tokens)
    }

    /// Words, each with its posteriors.
    #[getter]
    fn words<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.0.words)
    }

    /// Clauses, each with its posteriors and the passages that are credited with it.
    #[getter]
    fn spans<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.0.spans)
    }

    /// Evidence for and against the answer.
    #[getter]
    fn evidence<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.0.evidence)
    }

    /// The passages behind the answer, likeliest first.
    #[getter]
    fn citations(&self) -> Vec<Citation> {
        self.0.citations.iter().cloned().map(Citation).collect()
    }

    /// All passages found for it, highest prior first.
    #[getter]
    fn passages(&self) -> Vec<PassagePosterior> {
        self.0.passages.iter().cloned().map(PassagePosterior).collect()
    }

    /// Other answers, likeliest first.
    #[getter]
    fn alternatives(&self) -> Vec<Alternative> {
        self.0.alternatives.iter().cloned().map(Alternative).collect()
    }

    /// The text split where its sources change: pairs of a text and positions among the citations.
    #[getter]
    fn stretches(&self) -> Vec<(String, Vec<usize>)> {
        self.0.stretches().into_iter().map(|stretch| (stretch.text.to_owned(), stretch.notes)).collect()
    }

    /// The fields by name, with those of `postil ask --json`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = dictionary(py, &self.0)?;
        fields.set_item("text", self.text())?;
        let citations = self.citations().iter().map(|one| one.to_dict(py)).collect::<PyResult<Vec<_>>>()?;
        fields.set_item("citations", PyList::new(py, citations)?)?;
        let passages = self.passages().iter().map(|one| one.to_dict(py)).collect::<PyResult<Vec<_>>>()?;
        fields.set_item("passages", PyList::new(py, passages)?)?;
        Ok(fields)
    }

    /// The answer as Markdown, with footnotes.
    fn to_markdown(&self) -> String {
        self.0.to_markdown()
    }

    fn _repr_html_(&self) -> String {
        html(&self.0)
    }

    fn _repr_markdown_(&self) -> String {
        self.0.to_markdown()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        let answer = &self.0;
        let (text, citations) = (&answer.text, answer.citations.len());
        format!("Answer(text={text:?}, no_answer={}, citations={citations})", python_bool(answer.no_answer))
    }
}

fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// Another answer that was considered.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Alternative(postil::Alternative);

#[pymethods]
impl Alternative {
    /// The answer.
    #[getter]
    fn text(&self) -> &str {
        &self.0.text
    }

    /// Its probability.
    #[getter]
    fn probability(&self) -> f64 {
        self.0.probability
    }

    /// The passages behind it, likeliest first.
    #[getter]
    fn citations(&self) -> Vec<Citation> {
        self.0.citations.iter().cloned().map(Citation).collect()
    }

    /// The fields by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = dictionary(py, &self.0)?;
        fields.set_item("text", self.text())?;
        Ok(fields)
    }

    fn __repr__(&self) -> String {
        format!("Alternative(text={:?}, probability={:.2})", self.0.text, self.0.probability)
    }
}

/// A passage that was found for an answer.
#[pyclass(frozen, module = "postil")]
pub(crate) struct PassagePosterior(postil::PassagePosterior);

#[pymethods]
impl PassagePosterior {
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

    /// Bytes of the original document.
    #[getter]
    fn range(&self) -> (u64, u64) {
        (self.0.range.start, self.0.range.end)
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

    /// Score that it was ranked by.
    #[getter]
    fn relevance(&self) -> f32 {
        self.0.relevance
    }

    /// Word score for the question, in [0, 1].
    #[getter]
    fn words(&self) -> f32 {
        self.0.words
    }

    /// p(passage | question).
    #[getter]
    fn prior(&self) -> f64 {
        self.0.prior
    }

    /// p(passage | question, answer).
    #[getter]
    fn posterior(&self) -> f64 {
        self.0.posterior
    }

    /// True when its end was left out.
    #[getter]
    fn shortened(&self) -> bool {
        self.0.shortened
    }

    /// The fields by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = dictionary(py, &self.0)?;
        fields.set_item("source", self.source())?;
        fields.set_item("range", self.range())?;
        Ok(fields)
    }

    fn __repr__(&self) -> String {
        let (source, range) = (self.source(), self.range());
        format!("PassagePosterior(source={source:?}, range={range:?}, posterior={:.2})", self.posterior())
    }
}
