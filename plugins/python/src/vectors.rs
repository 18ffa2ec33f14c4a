//! The database of vectors.

use postil::{Batch, DocumentWrite, PassageWrite, SearchOptions};
use pyo3::prelude::*;

use crate::arguments::{K, keys as keys_of, metadata as metadata_of};
use crate::call::short;
use crate::errors::{input, input_type, type_name};
use crate::filters::filter as filter_of;
use crate::found::Found;
use crate::opened::Handle;
use crate::reports::Committed;
use crate::rows;
use crate::shared::Opened;
use crate::texts::text;

/// An open database of vectors.
#[pyclass(frozen, extends = Opened, module = "postil")]
pub(crate) struct VectorDatabase {}

impl VectorDatabase {
    pub(crate) fn over(handle: Handle) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Opened { handle }).add_subclass(Self {})
    }
}

#[pymethods]
impl VectorDatabase {
    /// Number of components of every vector.
    #[getter]
    fn dimension(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(slf.as_super().get().handle.get(slf.py())?.profile().dimension)
    }

    /// Metric by which vectors are compared.
    #[getter]
    fn metric(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(slf.as_super().get().handle.get(slf.py())?.profile().metric.to_string())
    }

    /// Adds rows, or replaces those of the same keys; all or none, durable when it returns. A row may
    /// have metadata and a text; one whose vector is `None` is found by its key and filters only.
    #[pyo3(signature = (keys, vectors, metadata=None, texts=None))]
    fn upsert(
        slf: &Bound<'_, Self>,
        keys: &Bound<'_, PyAny>,
        vectors: &Bound<'_, PyAny>,
        metadata: Option<&Bound<'_, PyAny>>,
        texts: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Committed> {
        let (py, handle) = (slf.py(), &slf.as_super().get().handle);
        let opened = handle.get(py)?;
        let database = opened.writable(py)?;
        let keys = keys_of(keys)?;
        let vectors = rows::each(vectors)?;
        same_number(py, "vectors", vectors.len(), keys.len())?;
        let mut metadata = listed(metadata, "metadata", keys.len())?;
        let mut texts = listed(texts, "texts", keys.len())?;
        let mut batch = Batch::new();
        for (key, vector) in keys.into_iter().zip(vectors) {
            let metadata = metadata_of(metadata.next().as_ref())?;
            let text = match texts.next().filter(|text| !text.is_none()) {
                Some(given) => text(&given, "a text")?,
                None => String::new(),
            };
            batch.upsert(row(key, vector, metadata, text));
        }
        let committed = short(py, || Ok(database.store().commit(batch)?));
        let committed = committed.map_err(|failure| handle.raise(py, failure))?;
        Ok(Committed { added: committed.added, replaced: committed.replaced })
    }

    /// The `k` rows nearest to a vector, best first; for a matrix, those of each of its rows, searched
    /// on all cores.
    #[pyo3(
        signature = (vector_or_matrix, k=K(10), filter=None, recall=None),
        text_signature = "($self, vector_or_matrix, k=10, filter=None, recall=None)"
    )]
    fn search(
        slf: &Bound<'_, Self>,
        vector_or_matrix: &Bound<'_, PyAny>,
        k: K,
        filter: Option<&Bound<'_, PyAny>>,
        recall: Option<f32>,
    ) -> PyResult<Found> {
        let (py, handle) = (slf.py(), &slf.as_super().get().handle);
        let database = handle.get(py)?;
        let queries = rows::vectors(vector_or_matrix)?;
        let mut options = SearchOptions::new(k.0);
        options.filter = filter_of(filter)?;
        if let Some(recall) = recall {
            options = options.recall(recall);
        }
        let dimension = database.profile().dimension;
        if queries.rows.is_some_and(|rows| rows > 0) && queries.dimension != dimension {
            let got = queries.dimension;
            return Err(input(py, format!("queries have {got} components, the index has {dimension}")));
        }
        let found = short(py, || {
            Ok(match queries.rows {
                None => Found::one(database.search_vector(&queries.values, &options)?),
                Some(_) => Found::many(database.search_vectors(&queries.values, &options)?),
            })
        });
        found.map_err(|failure| handle.raise(py, failure))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("VectorDatabase({:?})", slf.as_super().get().handle.path)
    }
}

fn row(key: String, vector: Option<Vec<f32>>, metadata: postil::Metadata, text: String) -> DocumentWrite {
    let passage = |vector| {
        let (range, heading) = (0..text.len() as u64, String::new());
        PassageWrite {
            range: range.clone(),
            source_range: range,
            lead: 0..0,
            places: Vec::new(),
            heading,
            vector,
        }
    };
    let passages = vector.into_iter().map(passage).collect();
    DocumentWrite { text, passages, ..DocumentWrite::row(key, Vec::new(), metadata) }
}

fn same_number(py: Python<'_>, what: &str, got: usize, expected: usize) -> PyResult<()> {
    match got == expected {
        true => Ok(()),
        false => Err(input(py, format!("there are {got} {what} for {expected} keys"))),
    }
}

/// The items of a list that has one for each key; none for `None`.
fn listed<'py>(
    value: Option<&Bound<'py, PyAny>>,
    what: &str,
    expected: usize,
) -> PyResult<std::vec::IntoIter<Bound<'py, PyAny>>> {
    let Some(value) = value else { return Ok(Vec::new().into_iter()) };
    let py = value.py();
    let wrong =
        || input_type(py, format!("{what} are {}, they must be a list, one for each key", type_name(value)));
    if value.is_instance_of::<pyo3::types::PyDict>() || value.is_instance_of::<pyo3::types::PyString>() {
        return Err(wrong());
    }
    let items: Vec<_> = value.try_iter().map_err(|_| wrong())?.collect::<PyResult<_>>()?;
    same_number(py, what, items.len(), expected)?;
    Ok(items.into_iter())
}
