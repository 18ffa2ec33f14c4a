//! Counts, paths, keys and metadata from Python: a fault in one is an `InputError`.

use std::path::PathBuf;

use postil::Value;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::{input, input_type, type_name};
use crate::texts::text;
use crate::values;

/// A count, such as k.
pub(crate) fn count(value: &Bound<'_, PyAny>, what: &str) -> PyResult<usize> {
    let py = value.py();
    if value.is_instance_of::<pyo3::types::PyBool>() {
        return Err(input_type(py, format!("{what} is a bool, it must be an integer")));
    }
    value.extract::<usize>().map_err(|error: PyErr| match error.is_instance_of::<PyOverflowError>(py) {
        true => input(py, format!("{what} is {value}, it must be from 0 to {}", usize::MAX)),
        false => input_type(py, format!("{what} is {}, it must be an integer", type_name(value))),
    })
}

/// Number of results.
#[derive(Clone, Copy)]
pub(crate) struct K(pub(crate) usize);

impl<'py> FromPyObject<'_, 'py> for K {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        count(&value, "k").map(Self)
    }
}

/// A path, from a string or a path object.
pub(crate) fn path(value: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    value.extract().map_err(|_| {
        input_type(value.py(), format!("a path is {}, it must be str or os.PathLike", type_name(value)))
    })
}

/// Keys, from one or from many.
pub(crate) fn keys(value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if value.is_instance_of::<PyString>() {
        return Ok(vec![text(value, "a key")?]);
    }
    let items = value.try_iter().map_err(|_| {
        input_type(value.py(), format!("keys are {}, they must be str or many of them", type_name(value)))
    })?;
    items.map(|key| text(&key?, "a key")).collect()
}

/// The fields of an object of metadata; none for `None`.
pub(crate) fn metadata(value: Option<&Bound<'_, PyAny>>) -> PyResult<postil::Metadata> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(postil::Metadata::new()) };
    match values::from_python(value)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(input_type(value.py(), format!("metadata is {}, it must be a dict", type_name(value)))),
    }
}
