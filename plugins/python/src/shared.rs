//! Methods that all databases have.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyString};

use crate::arguments::{keys as keys_of, path as path_of};
use crate::call::{long, short};
use crate::documents::{Document, Documents};
use crate::errors::input;
use crate::filters::filter as filter_of;
use crate::opened::{Either, Handle};
use crate::progress::Told;
use crate::reports::Copied;
use crate::stat::Stat;
use crate::texts::text;

/// An open database.
#[pyclass(frozen, subclass, weakref, module = "postil")]
pub(crate) struct Opened {
    pub(crate) handle: Handle,
}

#[pymethods]
impl Opened {
    /// Folder of the database.
    #[getter]
    fn path(&self) -> &str {
        &self.handle.path
    }

    /// True once it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The document of a key, with its text, or `None`; for several keys, a list of these.
    #[pyo3(signature = (key, *, vectors=false))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        vectors: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let database = self.handle.get(py)?;
        let keys = keys_of(key)?;
        let found = short(py, || keys.iter().map(|key| Document::read(&database, key, vectors)).collect());
        let mut found: Vec<Option<Document>> = found.map_err(|failure| self.handle.raise(py, failure))?;
        if key.is_instance_of::<PyString>() {
            return Ok(found.pop().flatten().into_pyobject(py)?.into_any());
        }
        Ok(found.into_pyobject(py)?.into_any())
    }

    fn __contains__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let database = self.handle.get(py)?;
        let key = text(key, "a key")?;
        let found = short(py, || Ok(database.get(&key)?.is_some()));
        found.map_err(|failure| self.handle.raise(py, failure))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.count(py, None)? as usize)
    }

    /// Removes the documents of one key or of several, or those that pass a filter; returns their number.
    #[pyo3(signature = (keys=None, *, filter=None))]
    fn remove(
        &self,
        py: Python<'_>,
        keys: Option<&Bound<'_, PyAny>>,
        filter: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let opened = self.handle.get(py)?;
        let database = opened.writable(py)?;
        let (keys, filter) = (keys.map(keys_of).transpose()?, filter_of(filter)?);
        let removed = match (keys, filter) {
            (Some(mut keys), None) => {
                keys.sort_unstable();
                keys.dedup();
                short(py, || Ok(database.remove(keys)?))
            }
            (None, Some(filter)) => short(py, || Ok(database.remove_where(&filter)?)),
            _ => return Err(input(py, "remove takes either keys or a filter that is not empty")),
        };
        removed.map_err(|failure| self.handle.raise(py, failure))
    }

    /// Iterates over all documents, or those that pass a filter, in the order of their keys.
    #[pyo3(signature = (filter=None, *, texts=false, vectors=false))]
    fn documents(
        &self,
        py: Python<'_>,
        filter: Option<&Bound<'_, PyAny>>,
        texts: bool,
        vectors: bool,
    ) -> PyResult<Documents> {
        let database = self.handle.get(py)?;
        let filter = filter_of(filter)?;
        let keys = short(py, || Documents::keys(&database, filter.as_ref()));
        let keys = keys.map_err(|failure| self.handle.raise(py, failure))?;
        Ok(Documents::new(database, keys, texts, vectors))
    }

    /// Number of documents, or of those that pass a filter.
    #[pyo3(signature = (filter=None))]
    fn count(&self, py: Python<'_>, filter: Option<&Bound<'_, PyAny>>) -> PyResult<u64> {
        let database = self.handle.get(py)?;
        let filter = filter_of(filter)?;
        let counted = short(py, || Ok(database.count(filter.as_ref())?));
        counted.map_err(|failure| self.handle.raise(py, failure))
    }

    /// Counts and sizes.
    fn stat(&self, py: Python<'_>) -> PyResult<Stat> {
        let database = self.handle.get(py)?;
        let stat = short(py, || Ok(Stat(database.stat()?)));
        stat.map_err(|failure| self.handle.raise(py, failure))
    }

    /// Writes everything anew without what was removed, and waits for it.
    #[pyo3(signature = (*, progress=None))]
    fn compact(&self, py: Python<'_>, progress: Option<Py<PyAny>>) -> PyResult<()> {
        let opened = self.handle.get(py)?;
        let database = opened.writable(py)?;
        let told = Told::new(progress);
        let done = long(py, |cancel| told.watch(cancel, |watch| Ok(database.compact(watch)?)));
        done.map_err(|failure| self.handle.raise(py, failure))
    }

    /// Copies a consistent state to `to`, which must not exist.
    #[pyo3(signature = (to, *, progress=None))]
    fn backup(&self, py: Python<'_>, to: &Bound<'_, PyAny>, progress: Option<Py<PyAny>>) -> PyResult<Copied> {
        let database = self.handle.get(py)?;
        let (to, told) = (path_of(to)?, Told::new(progress));
        let done = long(py, |cancel| told.watch(cancel, |watch| Ok(Copied(database.backup(&to, watch)?))));
        done.map_err(|failure| self.handle.raise(py, failure))
    }

    /// Shows the committed state to those who opened the database with `published=True`.
    fn publish(&self, py: Python<'_>) -> PyResult<()> {
        let opened = self.handle.get(py)?;
        let database = opened.writable(py)?;
        let done = short(py, || Ok(database.publish()?));
        done.map_err(|failure| self.handle.raise(py, failure))
    }

    /// Shows the newest published state; returns `True` when there was a newer one.
    fn refresh(&self, py: Python<'_>) -> PyResult<bool> {
        let database = self.handle.get(py)?;
        let done = short(py, || Ok(database.refresh()?));
        done.map_err(|failure| self.handle.raise(py, failure))
    }

    /// Finishes background work that is due, and closes. Calls that run in other threads end first; once
    /// closed, closing again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(database) = self.handle.take(py)? else { return Ok(()) };
        let done = long(py, |_| {
            if let Either::Writable(database) = &*database {
                database.finish()?;
            }
            drop(database);
            Ok(())
        });
        done.map_err(|failure| self.handle.raise(py, failure))
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().handle.get(slf.py())?;
        Ok(slf)
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _class: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.close(py)
    }
}
