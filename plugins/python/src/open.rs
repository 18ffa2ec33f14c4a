//! Opening: `postil.open` and `postil.open_vectors`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use postil::{Database as Library, ErrorKind, Metric, Options};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::arguments::{count, path as path_of};
use crate::call::long;
use crate::database::Database;
use crate::encoder::{Encoder, Raised};
use crate::errors::{Failure, exception, input, input_type, type_name};
use crate::opened::{Either, Handle};
use crate::texts::text;
use crate::vectors::VectorDatabase;

/// Dimension of a new database of vectors where none is given: that of the default encoder.
const DEFAULT_DIMENSION: usize = 384;

/// The process that opened databases: the document store and the generators share threads, which live in no
/// other.
static OPENING: AtomicU32 = AtomicU32::new(0);

/// Opens a database of documents.
#[pyfunction]
#[pyo3(signature = (path, *, create=true, read_only=false, model=None, published=false))]
pub(crate) fn open<'py>(
    py: Python<'py>,
    path: &Bound<'py, PyAny>,
    create: bool,
    read_only: bool,
    model: Option<&Bound<'py, PyAny>>,
    published: bool,
) -> PyResult<Bound<'py, Database>> {
    let path = path_of(path)?;
    let raised = Arc::new(Raised::default());
    let mut options = Library::options();
    if let Some(model) = model {
        options = if model.is_instance_of::<PyString>() {
            options.model(text(model, "model")?)
        } else if let Ok(encoder) = model.cast::<Encoder>() {
            options.encoder(Arc::new(encoder.get().plugin(py, Arc::clone(&raised))))
        } else {
            let message =
                format!("model is {}, it must be a name, a path or a postil.Encoder", type_name(model));
            return Err(input_type(py, message));
        };
    }
    let handle = opened(py, &path, options, Access { create, read_only, published }, raised)?;
    Bound::new(py, Database::over(handle))
}

/// Opens a database of vectors.
#[pyfunction]
#[pyo3(signature = (path, dimension=None, metric=None, *, create=true, read_only=false, published=false))]
pub(crate) fn open_vectors<'py>(
    py: Python<'py>,
    path: &Bound<'py, PyAny>,
    dimension: Option<&Bound<'py, PyAny>>,
    metric: Option<&str>,
    create: bool,
    read_only: bool,
    published: bool,
) -> PyResult<Bound<'py, VectorDatabase>> {
    let path = path_of(path)?;
    let dimension = dimension.map(|value| count(value, "dimension")).transpose()?;
    let metric = match metric.map(str::parse::<Metric>).transpose() {
        Ok(metric) => metric,
        Err(error) => return Err(input(py, error.to_string())),
    };
    let options =
        Library::options().vectors(dimension.unwrap_or(DEFAULT_DIMENSION), metric.unwrap_or(Metric::Cosine));
    let access = Access { create, read_only, published };
    let handle = opened(py, &path, options, access, Arc::default())?;
    let (recorded_dimension, recorded_metric) = {
        let database = handle.get(py)?;
        (database.profile().dimension, database.profile().metric)
    };
    let differs = dimension.is_some_and(|given| given != recorded_dimension)
        || metric.is_some_and(|given| given != recorded_metric);
    if differs {
        let message = format!(
            "{} has vectors of {recorded_dimension} components under {recorded_metric}, not of {} under {}",
            handle.path,
            dimension.unwrap_or(recorded_dimension),
            metric.unwrap_or(recorded_metric),
        );
        return Err(input(py, message));
    }
    Bound::new(py, VectorDatabase::over(handle))
}

/// Ways to open a database.
#[derive(Clone, Copy)]
struct Access {
    create: bool,
    read_only: bool,
    published: bool,
}

fn opened(
    py: Python<'_>,
    path: &Path,
    options: Options,
    access: Access,
    raised: Arc<Raised>,
) -> PyResult<Handle> {
    let Access { create, read_only, published } = access;
    let process = std::process::id();
    let first = OPENING.compare_exchange(0, process, Ordering::Relaxed, Ordering::Relaxed);
    if first.is_err_and(|opening| opening != process) {
        let message = "databases were opened before this process was forked, and threads that they share are in \
                       its parent; start processes by multiprocessing.set_start_method(\"spawn\")";
        return Err(exception(py, "Forked", message));
    }
    let result = long(py, |_| {
        Ok(if published {
            Either::Readable(options.open_published(path)?)
        } else if read_only {
            Either::Readable(options.open_read_only(path)?)
        } else {
            Either::Writable(options.must_exist(!create).open(path)?)
        })
    });
    match result {
        Ok(database) => Ok(Handle::new(database, raised)),
        Err(Failure::Library(error)) if error.kind() == ErrorKind::NotFound && !create && !path.exists() => {
            let message = format!("there is no database at {}; create=True makes one", path.display());
            Err(exception(py, "NotFound", message))
        }
        Err(failure) => Err(failure.raised(py, raised.take())),
    }
}
