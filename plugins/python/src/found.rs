//! Rows found for a vector, or for each of a matrix.

use postil::Hit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrow::{Column, Table, stream};
use crate::numbers::array;
use crate::values::object;

/// The rows found: `keys` and `scores` are lists of k for a vector, and lists of such lists for a matrix.
#[pyclass(frozen, module = "postil")]
pub(crate) struct Found {
    hits: Vec<Hit>,
    /// End of each query's hits; `None` for one vector.
    ends: Option<Vec<usize>>,
}

impl Found {
    pub(crate) fn one(hits: Vec<Hit>) -> Self {
        Self { hits, ends: None }
    }

    pub(crate) fn many(found: Vec<Vec<Hit>>) -> Self {
        let (mut hits, mut ends) = (Vec::new(), Vec::with_capacity(found.len()));
        for one in found {
            hits.extend(one);
            ends.push(hits.len());
        }
        Self { hits, ends: Some(ends) }
    }

    /// The hits of each query.
    fn queries(&self) -> Vec<&[Hit]> {
        let Some(ends) = &self.ends else { return vec![&self.hits] };
        let begins = std::iter::once(0).chain(ends.iter().copied());
        begins.zip(ends).map(|(begin, end)| &self.hits[begin..*end]).collect()
    }

    /// A list for one vector, and a list of lists for a matrix.
    fn lists<'a, 'py, T>(
        &'a self,
        py: Python<'py>,
        one: impl Fn(&'a Hit) -> PyResult<T>,
    ) -> PyResult<Bound<'py, PyList>>
    where
        T: IntoPyObject<'py>,
    {
        let list = |hits: &'a [Hit]| {
            let values = hits.iter().map(&one).collect::<PyResult<Vec<T>>>()?;
            PyList::new(py, values)
        };
        match self.ends {
            None => list(&self.hits),
            Some(_) => PyList::new(py, self.queries().into_iter().map(list).collect::<PyResult<Vec<_>>>()?),
        }
    }
}

#[pymethods]
impl Found {
    /// Keys of the rows.
    #[getter]
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.lists(py, |hit| Ok(hit.key.as_str()))
    }

    /// Exact scores, higher is better: a numpy array where there is numpy, `[k]` or `[n, k]`. (A list of
    /// arrays where queries found different numbers of rows.)
    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let scores: Vec<f32> = self.hits.iter().map(|hit| hit.score).collect();
        let Some(ends) = &self.ends else { return array(py, &scores, None) };
        let queries = self.queries();
        if queries.iter().all(|hits| hits.len() == queries[0].len()) {
            return array(py, &scores, Some(ends.len()));
        }
        let one = |hits: &&[Hit]| array(py, &hits.iter().map(|hit| hit.score).collect::<Vec<_>>(), None);
        Ok(PyList::new(py, queries.iter().map(one).collect::<PyResult<Vec<_>>>()?)?.into_any())
    }

    /// Metadata of the rows.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.lists(py, |hit| object(py, &hit.metadata))
    }

    /// Texts of the rows.
    #[getter]
    fn texts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.lists(py, |hit| Ok(hit.text.as_str()))
    }

    /// The fields by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        fields.set_item("keys", self.keys(py)?)?;
        fields.set_item("scores", self.scores(py)?)?;
        fields.set_item("metadata", self.metadata(py)?)?;
        fields.set_item("texts", self.texts(py)?)?;
        Ok(fields)
    }

    /// Number of rows found for a vector; number of queries of a matrix.
    fn __len__(&self) -> usize {
        self.ends.as_ref().map_or(self.hits.len(), Vec::len)
    }

    /// The rows as an Arrow stream, for pyarrow, polars, pandas and duckdb; `query` is the position in the
    /// matrix.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = requested_schema;
        let queries = self.queries();
        let of = queries.iter().enumerate().flat_map(|(at, hits)| hits.iter().map(move |_| at as u64));
        let table = Table::new(vec![
            ("query", Column::Whole(of.collect())),
            ("key", Column::texts(self.hits.iter().map(|hit| hit.key.as_str()))),
            ("score", Column::Numbers(self.hits.iter().map(|hit| hit.score).collect())),
            ("text", Column::texts(self.hits.iter().map(|hit| hit.text.as_str()))),
            ("metadata", Column::texts(self.hits.iter().map(|hit| postil::json::object_text(&hit.metadata)))),
        ]);
        stream(py, table)
    }

    fn __repr__(&self) -> String {
        match &self.ends {
            None => format!("Found({} rows)", self.hits.len()),
            Some(ends) => format!("Found({} rows for {} queries)", self.hits.len(), ends.len()),
        }
    }
}
