//! Vectors from Python: buffers, whatever numpy makes an array of, and lists.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyString};

use crate::buffers::Buffer;
use crate::errors::{input, input_type, type_name};

/// One vector, or a matrix of many.
pub(crate) struct Vectors {
    /// The components, row-major.
    pub(crate) values: Vec<f32>,
    /// Number of rows; `None` for one vector.
    pub(crate) rows: Option<usize>,
    /// Number of components of each.
    pub(crate) dimension: usize,
}

/// Reads a vector or a matrix.
///
/// # Errors
/// `InputError` for numbers of another type, rows of different lengths, or another shape.
pub(crate) fn vectors(value: &Bound<'_, PyAny>) -> PyResult<Vectors> {
    let py = value.py();
    if let Some(buffer) = buffer(value)? {
        return Ok(Vectors { values: buffer.flat(py)?, rows: buffer.rows(), dimension: buffer.dimension() });
    }
    let items = items(value)?;
    if items.first().is_none_or(is_number) {
        let values = items.iter().map(component).collect::<PyResult<Vec<_>>>()?;
        return Ok(Vectors { dimension: values.len(), values, rows: None });
    }
    let (mut values, mut dimension) = (Vec::new(), None);
    for (at, item) in items.iter().enumerate() {
        let row = vector(item)?;
        let expected = *dimension.get_or_insert(row.len());
        if row.len() != expected {
            let message = format!("row {at} has {} components, the first has {expected}", row.len());
            return Err(input(py, message));
        }
        values.extend(row);
    }
    Ok(Vectors { values, rows: Some(items.len()), dimension: dimension.unwrap_or(0) })
}

/// Reads the vectors of rows to store; `None` for a row without one.
///
/// # Errors
/// As [`vectors`].
pub(crate) fn each(value: &Bound<'_, PyAny>) -> PyResult<Vec<Option<Vec<f32>>>> {
    let py = value.py();
    if let Some(buffer) = buffer(value)? {
        if buffer.rows().is_none() {
            let dimension = buffer.dimension();
            let message = format!("vectors have the shape [{dimension}], it must be [rows, dimension]");
            return Err(input(py, message));
        }
        if buffer.dimension() == 0 {
            return Err(input(py, "vectors have no components"));
        }
        return Ok(buffer.split(py)?.into_iter().map(Some).collect());
    }
    let row = |item: Bound<'_, PyAny>| if item.is_none() { Ok(None) } else { vector(&item).map(Some) };
    items(value)?.into_iter().map(row).collect()
}

/// Reads one vector.
///
/// # Errors
/// As [`vectors`]; `InputError` for a matrix.
fn vector(value: &Bound<'_, PyAny>) -> PyResult<Vec<f32>> {
    let py = value.py();
    if let Some(buffer) = buffer(value)? {
        if let Some(rows) = buffer.rows() {
            return Err(input(py, format!("a vector has the shape [{rows}, {}]", buffer.dimension())));
        }
        return buffer.flat(py);
    }
    items(value)?.iter().map(component).collect()
}

/// The buffer of a value, or of the array that it makes of itself.
fn buffer(value: &Bound<'_, PyAny>) -> PyResult<Option<Buffer>> {
    match Buffer::of(value)? {
        None if value.hasattr("__array__")? => {
            Buffer::of(&value.py().import("numpy")?.call_method1("asarray", (value,))?)
        }
        found => Ok(found),
    }
}

fn items<'py>(value: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let wrong = || {
        let message = format!("vectors are {}, they must be an array or lists of numbers", type_name(value));
        input_type(value.py(), message)
    };
    if value.is_instance_of::<PyString>() {
        return Err(wrong());
    }
    value.try_iter().map_err(|_| wrong())?.collect()
}

fn is_number(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>() || value.extract::<f64>().is_ok()
}

fn component(value: &Bound<'_, PyAny>) -> PyResult<f32> {
    let py = value.py();
    let number: f64 =
        value.extract().map_err(|error: PyErr| match error.is_instance_of::<PyOverflowError>(py) {
            true => input(py, "a component of a vector is beyond all floats"),
            false => input_type(
                py,
                format!("a component of a vector is {}, it must be a number", type_name(value)),
            ),
        })?;
    Ok(number as f32)
}
