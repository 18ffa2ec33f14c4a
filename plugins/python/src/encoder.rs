//! Encoders that are Python functions.

use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use postil::plugin::{Embeddings, EncodeError, EncoderProfile, Passage, Similarity};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::{input, input_type, type_name};
use crate::rows::{Vectors, vectors};

/// Text that the dimension of an encoder's vectors is found with.
const PROBE: &str = "postil";

/// The newest exception that a callback raised, to be the cause of the error that follows.
#[derive(Default)]
pub(crate) struct Raised(Mutex<Option<PyErr>>);

impl Raised {
    pub(crate) fn keep(&self, error: PyErr) {
        *self.0.lock() = Some(error);
    }

    pub(crate) fn take(&self) -> Option<PyErr> {
        self.0.lock().take()
    }
}

/// An encoder of texts to vectors that is a Python function, `list[str] -> array [texts, dimension]`.
///
/// A database records name and dimension, and is opened with no other encoder: give a new name to
/// vectors that are not comparable with the old ones. `questions`, if given, encodes questions, and
/// `function` passages only. `max_tokens`: longest passage, in words. `score_scale`: factor from
/// similarities to log-odds that a passage is the one to read, 20 for most sentence encoders.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Encoder {
    passages: Py<PyAny>,
    questions: Option<Py<PyAny>>,
    profile: EncoderProfile,
}

#[pymethods]
impl Encoder {
    #[new]
    #[pyo3(signature = (function, name, *, dimension=None, questions=None, max_tokens=256, similarity="cosine", score_scale=20.0))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords of Python")]
    fn new(
        py: Python<'_>,
        function: &Bound<'_, PyAny>,
        name: String,
        dimension: Option<usize>,
        questions: Option<&Bound<'_, PyAny>>,
        max_tokens: usize,
        similarity: &str,
        score_scale: f32,
    ) -> PyResult<Self> {
        let similarity = match similarity {
            "cosine" => Similarity::Cosine,
            "dot" => Similarity::Dot,
            other => return Err(input(py, format!("similarity is \"{other}\", it must be cosine or dot"))),
        };
        if name.trim().is_empty() {
            return Err(input(py, "an encoder needs a name, by which a database knows its vectors"));
        }
        if max_tokens == 0 || !(0.0..f32::INFINITY).contains(&score_scale) {
            return Err(input(py, "max_tokens must be at least 1, and score_scale finite and at least 0"));
        }
        let passages = callable(function)?;
        let questions = questions.map(callable).transpose()?;
        let dimension = match dimension {
            Some(dimension) => dimension,
            None => call(py, passages.bind(py), &[PROBE])?.dimension,
        };
        if dimension == 0 {
            return Err(input(py, format!("encoder {name} gives vectors without components")));
        }
        let fingerprint = format!("python:{name}:{dimension}");
        let profile = EncoderProfile { name, fingerprint, dimension, max_tokens, similarity, score_scale };
        Ok(Self { passages, questions, profile })
    }

    /// Name that a database records.
    #[getter]
    fn name(&self) -> &str {
        &self.profile.name
    }

    /// Number of components of each vector.
    #[getter]
    fn dimension(&self) -> usize {
        self.profile.dimension
    }

    fn __repr__(&self) -> String {
        format!("Encoder(name={:?}, dimension={})", self.profile.name, self.profile.dimension)
    }
}

impl Encoder {
    /// The encoder for the library; it keeps exceptions in `raised`.
    pub(crate) fn plugin(&self, py: Python<'_>, raised: Arc<Raised>) -> PythonEncoder {
        PythonEncoder {
            passages: self.passages.clone_ref(py),
            questions: self.questions.as_ref().map(|function| function.clone_ref(py)),
            profile: self.profile.clone(),
            raised,
        }
    }
}

/// The function of a callable, or the method `encode` of an object, as of sentence-transformers.
fn callable(value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    if value.hasattr("encode")? && !value.is_instance_of::<pyo3::types::PyString>() {
        return Ok(value.getattr("encode")?.unbind());
    }
    if value.is_callable() {
        return Ok(value.clone().unbind());
    }
    let message = format!("an encoder is {}, it must be a function of a list of texts", type_name(value));
    Err(input_type(value.py(), message))
}

/// Calls the function; one row for each text.
fn call(py: Python<'_>, function: &Bound<'_, PyAny>, texts: &[&str]) -> PyResult<Vectors> {
    let found = vectors(&function.call1((PyList::new(py, texts)?,))?)?;
    match found.rows {
        Some(rows) if rows == texts.len() => Ok(found),
        Some(rows) => Err(input(py, format!("the encoder gave {rows} vectors for {} texts", texts.len()))),
        None => Err(input(py, "the encoder gave one vector, it must give one for each text of the list")),
    }
}

/// An encoder that calls Python.
pub(crate) struct PythonEncoder {
    passages: Py<PyAny>,
    questions: Option<Py<PyAny>>,
    profile: EncoderProfile,
    raised: Arc<Raised>,
}

impl PythonEncoder {
    fn encode(&self, function: &Py<PyAny>, texts: &[&str]) -> Result<Embeddings, EncodeError> {
        let dimension = self.profile.dimension;
        let fault = |reason| EncodeError::Model { model: self.profile.name.clone(), reason };
        let found = Python::attach(|py| {
            call(py, function.bind(py), texts).map_err(|error| {
                let reason = error.to_string();
                self.raised.keep(error);
                reason
            })
        });
        let found = found.map_err(fault)?;
        if !texts.is_empty() && found.dimension != dimension {
            return Err(fault(format!("it gave {} components, it has {dimension}", found.dimension)));
        }
        let bad = found.values.iter().position(|number| !number.is_finite());
        if let Some(bad) = bad {
            return Err(fault(format!(
                "component {} of vector {} is no finite number",
                bad % dimension,
                bad / dimension
            )));
        }
        Embeddings::new(dimension, found.values)
            .ok_or_else(|| fault("its vectors are of no one length".to_owned()))
    }
}

impl postil::plugin::Encoder for PythonEncoder {
    fn profile(&self) -> &EncoderProfile {
        &self.profile
    }

    /// Words are its tokens: it has no others to count.
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        Ok(text.split_whitespace().map(|word| start(word)..start(word) + word.len()).collect())
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        Ok(self.profile.max_tokens.saturating_sub(title.split_whitespace().count()))
    }

    fn encode_questions(&self, questions: &[&str]) -> Result<Embeddings, EncodeError> {
        self.encode(self.questions.as_ref().unwrap_or(&self.passages), questions)
    }

    fn encode_passages(&self, passages: &[Passage<'_>]) -> Result<Embeddings, EncodeError> {
        let joined = |passage: &Passage<'_>| match passage.title {
            "" => passage.text.to_owned(),
            title => format!("{title}\n{}", passage.text),
        };
        let texts: Vec<String> = passages.iter().map(joined).collect();
        self.encode(&self.passages, &texts.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
