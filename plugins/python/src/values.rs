//! Metadata from and to Python: whatever JSON can express, with every number exact.

use postil::{Metadata, Value};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::errors::{input, input_type, type_name};
use crate::texts::text;

/// Deepest nesting that is read; the store's own limit is below it.
const DEEPEST: usize = 200;

/// The value that Python's is as JSON.
pub(crate) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    read(value, DEEPEST)
}

fn read(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    let py = value.py();
    if depth == 0 {
        return Err(input(py, format!("metadata is nested more than {DEEPEST} levels deep")));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return integer(value);
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        return match float.value() {
            float if float.is_finite() => Ok(Value::Float(float)),
            float => Err(input(py, format!("metadata has the number {float}, which JSON cannot express"))),
        };
    }
    if value.is_instance_of::<PyString>() {
        return Ok(Value::String(text(value, "a text of metadata")?));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return value
            .try_iter()?
            .map(|item| read(&item?, depth - 1))
            .collect::<PyResult<_>>()
            .map(Value::List);
    }
    if let Ok(fields) = value.cast::<PyDict>() {
        let field = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Ok((text(&name, "the name of a field of metadata")?, read(&value, depth - 1)?))
        };
        return fields.iter().map(field).collect::<PyResult<Metadata>>().map(Value::Object);
    }
    // A scalar of numpy.
    if let (Ok(scalar), true) = (value.call_method0("item"), value.hasattr("dtype")?) {
        return read(&scalar, depth - 1);
    }
    let name = type_name(value);
    Err(input_type(
        py,
        format!("metadata has a value of type {name}, which JSON has no form for: give a str"),
    ))
}

fn integer(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(small) = value.extract::<i64>() {
        return Ok(Value::Integer(small));
    }
    // Python refuses to write an integer of more than 4,300 digits.
    let digits = value.str().map_err(|_| input(value.py(), "metadata has an integer of too many digits"))?;
    let digits = digits.to_string();
    Value::number(&digits).ok_or_else(|| input(value.py(), format!("{digits} is no number of JSON")))
}

/// Python's value of a value.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(truth) => truth.into_bound_py_any(py),
        Value::Integer(number) => number.into_bound_py_any(py),
        Value::Unsigned(number) => number.into_bound_py_any(py),
        Value::Float(number) => number.into_bound_py_any(py),
        Value::String(text) => text.into_bound_py_any(py),
        Value::List(items) => {
            let items = items.iter().map(|item| to_python(py, item)).collect::<PyResult<Vec<_>>>()?;
            Ok(PyList::new(py, items)?.into_any())
        }
        Value::Object(fields) => Ok(object(py, fields)?.into_any()),
        // A number that no other type keeps exactly: an integer of any length, or the nearest float.
        other => {
            let text = other.to_string();
            let is_whole = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
            let builtins = py.import("builtins")?;
            builtins.getattr(if is_whole { "int" } else { "float" })?.call1((text,))
        }
    }
}

/// Metadata as a dictionary.
pub(crate) fn object<'py>(py: Python<'py>, fields: &Metadata) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    for (name, value) in fields {
        dictionary.set_item(name, to_python(py, value)?)?;
    }
    Ok(dictionary)
}
