//! The database of documents.

use postil::{AskOptions, DEFAULT_K, Mode, RetrieveOptions, SearchOptions};
use pyo3::prelude::*;

use crate::answers::Answer;
use crate::arguments::{K, metadata as metadata_of};
use crate::call::short;
use crate::errors::input;
use crate::filters::filter as filter_of;
use crate::hits::Hits;
use crate::opened::Handle;
use crate::progress::Told;
use crate::reports::Ingested;
use crate::shared::Opened;
use crate::texts::text as text_of;
use crate::{ask, ingest};

/// An open database of documents.
#[pyclass(frozen, extends = Opened, module = "postil")]
pub(crate) struct Database {}

impl Database {
    pub(crate) fn over(handle: Handle) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Opened { handle }).add_subclass(Self {})
    }
}

#[pymethods]
impl Database {
    /// Adds or replaces documents: a file or folder, a text, or many of these. Durable when it returns.
    #[pyo3(signature = (path_or_text_or_iterable, *, key=None, metadata=None, progress=None))]
    fn ingest(
        slf: &Bound<'_, Self>,
        path_or_text_or_iterable: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
        metadata: Option<&Bound<'_, PyAny>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Ingested> {
        let (py, handle) = (slf.py(), &slf.as_super().get().handle);
        let opened = handle.get(py)?;
        let database = opened.writable(py)?;
        let key = key.map(|key| text_of(key, "key")).transpose()?;
        let (metadata, told) = (metadata_of(metadata)?, Told::new(progress));
        let report = ingest::ingest(py, database, path_or_text_or_iterable, key.as_deref(), &metadata, &told);
        report.map_err(|failure| handle.raise(py, failure))
    }

    /// The `k` passages that answer a question best, by meaning and words, best first.
    #[pyo3(signature = (text, k=K(10), filter=None, recall=None), text_signature = "($self, text, k=10, filter=None, recall=None)")]
    fn search(
        slf: &Bound<'_, Self>,
        text: &Bound<'_, PyAny>,
        k: K,
        filter: Option<&Bound<'_, PyAny>>,
        recall: Option<f32>,
    ) -> PyResult<Hits> {
        let (py, handle) = (slf.py(), &slf.as_super().get().handle);
        let database = handle.get(py)?;
        let text = text_of(text, "the text")?;
        let mut options = SearchOptions::new(k.0);
        options.filter = filter_of(filter)?;
        if let Some(recall) = recall {
            options = options.recall(recall);
        }
        let found = short(py, || Ok(database.retrieve(&text, &RetrieveOptions::from(options))?));
        Ok(Hits::new(found.map_err(|failure| handle.raise(py, failure))?))
    }

    /// Answers a question from the documents, with citations. `stream` receives each token's text and
    /// a dictionary with its probability and posteriors; it ends the answer by returning `False`.
    #[pyo3(signature = (question, k=K(DEFAULT_K), mode="sequence", filter=None, generator=None, stream=None), text_signature = "($self, question, k=5, mode='sequence', filter=None, generator=None, stream=None)")]
    fn ask(
        slf: &Bound<'_, Self>,
        question: &Bound<'_, PyAny>,
        k: K,
        mode: &str,
        filter: Option<&Bound<'_, PyAny>>,
        generator: Option<&Bound<'_, PyAny>>,
        stream: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Answer> {
        let (py, handle) = (slf.py(), &slf.as_super().get().handle);
        let question = text_of(question, "the question")?;
        let mode: Mode = match mode.parse() {
            Ok(mode) => mode,
            Err(error) => return Err(input(py, format!("{error}"))),
        };
        let mut options = AskOptions::new().mode(mode).k(k.0);
        options.filter = filter_of(filter)?;
        let stream = stream.map(|stream| stream.clone().unbind());
        ask::ask(py, handle, &question, &options, generator, stream.as_ref())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("Database({:?})", slf.as_super().get().handle.path)
    }
}
