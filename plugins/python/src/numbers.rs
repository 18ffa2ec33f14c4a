//! Numbers to Python: numpy arrays, or lists where there is no numpy.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyList};

/// Numpy's `frombuffer` and `float32`; `None` where there is no numpy.
static NUMPY: PyOnceLock<Option<[Py<PyAny>; 2]>> = PyOnceLock::new();

/// Numbers as an array of `float32`, `[numbers]`, or `[rows, numbers / rows]`; lists of them where
/// there is no numpy.
pub(crate) fn array<'py>(
    py: Python<'py>,
    numbers: &[f32],
    rows: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let numpy = NUMPY.get_or_init(py, || {
        let numpy = py.import("numpy").ok()?;
        Some([numpy.getattr("frombuffer").ok()?.unbind(), numpy.getattr("float32").ok()?.unbind()])
    });
    let width = rows.map(|rows| numbers.len() / rows.max(1));
    let Some([frombuffer, float32]) = numpy else {
        return match width {
            None => Ok(PyList::new(py, numbers)?.into_any()),
            Some(0) => Ok(PyList::new(py, (0..rows.unwrap_or(0)).map(|_| Vec::<f32>::new()))?.into_any()),
            Some(width) => Ok(PyList::new(py, numbers.chunks_exact(width))?.into_any()),
        };
    };
    // A bytearray, so that the array can be written to as any other.
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
    let array = frombuffer.bind(py).call1((PyByteArray::new(py, &bytes), float32))?;
    match (rows, width) {
        (Some(rows), Some(width)) => array.call_method1("reshape", (rows, width)),
        _ => Ok(array),
    }
}
