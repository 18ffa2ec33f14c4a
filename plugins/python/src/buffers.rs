//! Vectors from the buffer protocol: one copy, into the numbers that the library computes with. (One
//! more where the numbers do not lie one after another.)

use std::ffi::CStr;

use half::f16;
use pyo3::buffer::{Element, PyBuffer, PyUntypedBuffer};
use pyo3::prelude::*;

use crate::errors::input;

/// A half-precision number in a buffer: numpy's `float16`.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Half(u16);

#[expect(unsafe_code, reason = "the buffer protocol has no other way to name an element type")]
// SAFETY: a half-precision number has two bytes, any of which make a valid `u16`, and its format is `e`,
// in the byte order of this machine.
unsafe impl Element for Half {
    fn is_compatible_format(format: &CStr) -> bool {
        let native: &[u8] = if cfg!(target_endian = "little") { b"<e" } else { b">e" };
        let bytes = format.to_bytes();
        bytes == b"e" || bytes == b"@e" || bytes == b"=e" || bytes == native
    }
}

/// A buffer of one vector or of many.
pub(crate) struct Buffer(PyUntypedBuffer);

impl Buffer {
    /// The buffer of `value`; `None` if it has none.
    ///
    /// # Errors
    /// `InputError` for a buffer that is no vector and no matrix.
    pub(crate) fn of(value: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let Ok(buffer) = PyUntypedBuffer::get(value) else { return Ok(None) };
        let shape = buffer.shape();
        if !(1..=2).contains(&shape.len()) {
            let message =
                format!("vectors have the shape {shape:?}, it must be [dimension] or [rows, dimension]");
            return Err(input(value.py(), message));
        }
        Ok(Some(Self(buffer)))
    }

    /// Number of rows; `None` for one vector.
    pub(crate) fn rows(&self) -> Option<usize> {
        if let [rows, _] = *self.0.shape() { Some(rows) } else { None }
    }

    /// Number of components of each row.
    pub(crate) fn dimension(&self) -> usize {
        self.0.shape().last().copied().unwrap_or(0)
    }

    /// All numbers, row-major.
    pub(crate) fn flat(&self, py: Python<'_>) -> PyResult<Vec<f32>> {
        let mut all = Vec::with_capacity(self.0.item_count());
        self.parts(py, self.0.item_count(), &mut |numbers| all = numbers)?;
        Ok(all)
    }

    /// The rows, each on its own.
    pub(crate) fn split(&self, py: Python<'_>) -> PyResult<Vec<Vec<f32>>> {
        let mut rows = Vec::with_capacity(self.rows().unwrap_or(1));
        self.parts(py, self.dimension(), &mut |numbers| rows.push(numbers))?;
        Ok(rows)
    }

    fn parts(&self, py: Python<'_>, length: usize, each: &mut dyn FnMut(Vec<f32>)) -> PyResult<()> {
        // A format may be that of another machine's byte order, which the types below do not look at.
        let foreign: &[u8] = if cfg!(target_endian = "little") { b">!" } else { b"<" };
        if self.0.format().to_bytes().first().is_some_and(|order| foreign.contains(order)) {
            Err(self.refused(py))
        } else if let Ok(numbers) = self.0.as_typed::<f32>() {
            parts_of(py, numbers, length, |number| number, each)
        } else if let Ok(numbers) = self.0.as_typed::<f64>() {
            parts_of(py, numbers, length, |number| number as f32, each)
        } else if let Ok(numbers) = self.0.as_typed::<Half>() {
            parts_of(py, numbers, length, |Half(bits)| f16::from_bits(bits).to_f32(), each)
        } else {
            Err(self.refused(py))
        }
    }

    fn refused(&self, py: Python<'_>) -> PyErr {
        let format = self.0.format().to_string_lossy();
        let message = format!(
            "vectors are numbers of the format \"{format}\", they must be float32, float16 or float64: convert \
             them, as array.astype(\"float32\") does"
        );
        input(py, message)
    }
}

/// Passes the numbers to `each`, `length` at a time.
fn parts_of<T: Element>(
    py: Python<'_>,
    numbers: &PyBuffer<T>,
    length: usize,
    convert: impl Fn(T) -> f32 + Copy,
    each: &mut dyn FnMut(Vec<f32>),
) -> PyResult<()> {
    if length == 0 || numbers.item_count() == 0 {
        return Ok(());
    }
    match Elements::of(numbers) {
        Some(elements) => {
            for from in (0..=elements.count.saturating_sub(length)).step_by(length) {
                each((from..from + length).filter_map(|at| elements.get(at)).map(convert).collect());
            }
        }
        None => {
            for part in numbers.to_vec(py)?.chunks_exact(length) {
                each(part.iter().map(|number| convert(*number)).collect());
            }
        }
    }
    Ok(())
}

/// The elements of a buffer that lie one after another. Others may write to them meanwhile, so they are
/// no slice of Rust.
struct Elements<'a, T: Element> {
    begin: *const T,
    count: usize,
    _held: &'a PyBuffer<T>,
}

impl<'a, T: Element> Elements<'a, T> {
    fn of(buffer: &'a PyBuffer<T>) -> Option<Self> {
        let all = buffer.as_slice_ptr()?;
        Some(Self { begin: all.as_ptr().cast(), count: all.len(), _held: buffer })
    }

    #[expect(unsafe_code, reason = "no slice of Rust may be made of a buffer")]
    fn get(&self, at: usize) -> Option<T> {
        // SAFETY: `at` is within the buffer, which its exporter keeps where it is while it is held, and
        // all bits make a valid element, so that one which is written meanwhile is a number still.
        (at < self.count).then(|| unsafe { self.begin.add(at).read() })
    }
}
