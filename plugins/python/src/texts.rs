//! Texts from Python.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::{input, input_type, type_name};

/// The text of a Python string; an error for half a surrogate pair, which no text has.
pub(crate) fn text(value: &Bound<'_, PyAny>, what: &str) -> PyResult<String> {
    let py = value.py();
    let Ok(string) = value.cast::<PyString>() else {
        return Err(input_type(py, format!("{what} is {}, it must be str", type_name(value))));
    };
    string.extract().map_err(|_| {
        input(py, format!("{what} has a lone surrogate, half a character: decode it with errors=\"replace\""))
    })
}
