//! Stored documents.

use std::sync::Arc;

use parking_lot::Mutex;
use postil::Filter;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::call::short;
use crate::errors::Failure;
use crate::numbers::array;
use crate::opened::Either;
use crate::values::object;

/// A stored document.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Document {
    stored: postil::StoredDocument,
    text: Option<String>,
    vectors: Option<Vec<Vec<f32>>>,
}

impl Document {
    /// Reads a document with its text, and with its vectors if they are asked for.
    pub(crate) fn read(database: &Either, key: &str, vectors: bool) -> Result<Option<Self>, Failure> {
        let Some(stored) = database.get(key)? else { return Ok(None) };
        if !vectors {
            return Ok(database.text(key)?.map(|text| Self { stored, text: Some(text), vectors: None }));
        }
        Ok(database.written(key)?.map(|written| {
            let vectors = written.passages.into_iter().map(|passage| passage.vector).collect();
            Self { stored, text: Some(written.text), vectors: Some(vectors) }
        }))
    }
}

#[pymethods]
impl Document {
    /// Its key.
    #[getter]
    fn key(&self) -> &str {
        &self.stored.key
    }

    /// Its title; may be empty.
    #[getter]
    fn title(&self) -> &str {
        &self.stored.title
    }

    /// Its metadata.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        object(py, &self.stored.metadata)
    }

    /// Its text; `None` where it was not asked for.
    #[getter]
    fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Bytes of its text.
    #[getter]
    fn text_bytes(&self) -> u64 {
        self.stored.text_bytes
    }

    /// Number of its passages.
    #[getter]
    fn passages(&self) -> u64 {
        self.stored.passages
    }

    /// The stored vectors of its passages, of unit length under cosine; `None` where they were not
    /// asked for.
    #[getter]
    fn vectors<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let Some(vectors) = &self.vectors else { return Ok(None) };
        let arrays = vectors.iter().map(|vector| array(py, vector, None)).collect::<PyResult<Vec<_>>>()?;
        Ok(Some(PyList::new(py, arrays)?))
    }

    /// The fields by name, without vectors.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        fields.set_item("key", self.key())?;
        fields.set_item("title", self.title())?;
        fields.set_item("text", self.text())?;
        fields.set_item("metadata", self.metadata(py)?)?;
        fields.set_item("text_bytes", self.text_bytes())?;
        fields.set_item("passages", self.passages())?;
        Ok(fields)
    }

    fn __repr__(&self) -> String {
        format!(
            "Document(key={:?}, text_bytes={}, passages={})",
            self.key(),
            self.text_bytes(),
            self.passages()
        )
    }
}

/// An iterator over documents, each read when it is reached; those removed meanwhile are left out.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Documents {
    database: Arc<Either>,
    keys: Mutex<std::vec::IntoIter<String>>,
    texts: bool,
    vectors: bool,
}

impl Documents {
    pub(crate) fn new(database: Arc<Either>, keys: Vec<String>, texts: bool, vectors: bool) -> Self {
        Self { database, keys: Mutex::new(keys.into_iter()), texts, vectors }
    }

    /// The keys of the documents that pass.
    pub(crate) fn keys(database: &Either, filter: Option<&Filter>) -> Result<Vec<String>, Failure> {
        let key = |document: Result<postil::StoredDocument, postil::Error>| Ok(document?.key);
        match filter {
            Some(filter) => database.documents_where(filter)?.map(key).collect(),
            None => database.documents().map(key).collect(),
        }
    }

    fn next(&self) -> Result<Option<Document>, Failure> {
        loop {
            let Some(key) = self.keys.lock().next() else { return Ok(None) };
            let found = if self.texts || self.vectors {
                Document::read(&self.database, &key, self.vectors)?
            } else {
                self.database.get(&key)?.map(|stored| Document { stored, text: None, vectors: None })
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }
}

#[pymethods]
impl Documents {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Document>> {
        short(py, || self.next()).map_err(|failure| failure.raised(py, None))
    }
}
