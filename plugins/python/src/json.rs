//! Results as dictionaries: those of `--json`, read by Python, so that every whole number is exact.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;

use crate::errors::exception;

/// A value as Python reads its JSON.
pub(crate) fn python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text =
        serde_json::to_string(value).map_err(|error| exception(py, "InternalError", error.to_string()))?;
    py.import("json")?.getattr("loads")?.call1((text,))
}

/// A structure as a dictionary.
pub(crate) fn dictionary<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyDict>> {
    Ok(python(py, value)?.cast_into::<PyDict>()?)
}
