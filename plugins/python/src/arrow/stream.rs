//! The stream, in a capsule.
#![expect(unsafe_code, reason = "Arrow's C stream interface passes pointers, and a function that frees them")]

use std::ffi::{CStr, c_char, c_int};

use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::column::{Column, Table};
use super::layout::{ArrowArray, ArrowArrayStream, ArrowSchema};
use super::{batch, schema};

/// The state of a stream: its schema, and its batch until it was given.
struct State {
    columns: Vec<(&'static str, &'static CStr)>,
    batch: Option<Vec<Column>>,
}

/// A stream that frees what a consumer did not take.
#[repr(transparent)]
struct Capsule(ArrowArrayStream);

// SAFETY: its state is plain memory that belongs to the stream, and to no thread.
unsafe impl Send for Capsule {}

impl Drop for Capsule {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: the stream was not released, or `release` would be `None`.
            unsafe { release(&raw mut self.0) };
        }
    }
}

/// The capsule of a stream of `table`, as `__arrow_c_stream__` returns it.
pub(crate) fn stream(py: Python<'_>, table: Table) -> PyResult<Bound<'_, PyAny>> {
    let columns = table.0.iter().map(|(name, column)| (*name, column.format())).collect();
    let batch = Some(table.0.into_iter().map(|(_, column)| column).collect());
    let stream = ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release),
        private_data: Box::into_raw(Box::new(State { columns, batch })).cast(),
    };
    Ok(PyCapsule::new_with_value(py, Capsule(stream), c"arrow_array_stream")?.into_any())
}

unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    // SAFETY: the interface passes a stream that was not released, with the state leaked by `stream`,
    // and room for a schema.
    unsafe {
        let state = &*(*stream).private_data.cast::<State>();
        out.write(schema::of_rows(&state.columns));
    }
    0
}

unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    // SAFETY: as in `get_schema`, with room for an array; no two threads read one stream at a time.
    unsafe {
        let state = &mut *(*stream).private_data.cast::<State>();
        out.write(state.batch.take().map_or_else(batch::end, batch::of_rows));
    }
    0
}

unsafe extern "C" fn get_last_error(_: *mut ArrowArrayStream) -> *const c_char {
    std::ptr::null()
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    // SAFETY: the interface releases a stream once; its state was leaked by `stream`.
    unsafe {
        drop(Box::from_raw((*stream).private_data.cast::<State>()));
        (*stream).release = None;
    }
}
