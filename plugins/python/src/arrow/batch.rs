//! A batch for the interface, and its release.
#![expect(unsafe_code, reason = "Arrow's C data interface passes pointers, and a function that frees them")]

use std::ffi::c_void;
use std::ptr::null_mut;

use super::column::Column;
use super::layout::ArrowArray;

/// The memory of an array: its values, the addresses of their buffers, and its children.
struct Owned {
    /// `None` for rows, whose values are those of their children.
    _column: Option<Column>,
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
}

/// The rows of these columns.
pub(super) fn of_rows(columns: Vec<Column>) -> ArrowArray {
    let rows = columns.first().map_or(0, Column::rows);
    let children = columns.into_iter().map(|column| {
        let (rows, buffers) = (column.rows(), column.buffers());
        Box::into_raw(Box::new(array(rows, Some(column), buffers, Vec::new())))
    });
    let children = children.collect();
    array(rows, None, vec![std::ptr::null()], children)
}

/// The end of a stream.
pub(super) fn end() -> ArrowArray {
    ArrowArray {
        length: 0,
        null_count: 0,
        offset: 0,
        n_buffers: 0,
        n_children: 0,
        buffers: null_mut(),
        children: null_mut(),
        dictionary: null_mut(),
        release: None,
        private_data: null_mut(),
    }
}

fn array(
    rows: usize,
    column: Option<Column>,
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
) -> ArrowArray {
    // Moving the column moves no buffer: they are on the heap.
    let mut owned = Box::new(Owned { _column: column, buffers, children });
    ArrowArray {
        length: rows as i64,
        null_count: 0,
        offset: 0,
        n_buffers: owned.buffers.len() as i64,
        n_children: owned.children.len() as i64,
        buffers: owned.buffers.as_mut_ptr(),
        children: owned.children.as_mut_ptr(),
        dictionary: null_mut(),
        release: Some(release),
        private_data: Box::into_raw(owned).cast(),
    }
}

/// Frees an array and the children that were not moved out of it.
unsafe extern "C" fn release(array: *mut ArrowArray) {
    // SAFETY: the interface calls this once, with an array that `array` made, which it may have moved:
    // `private_data` is still the box that was leaked there, and each child still a box of its own.
    unsafe {
        let owned = Box::from_raw((*array).private_data.cast::<Owned>());
        for &child in &owned.children {
            let mut child = Box::from_raw(child);
            if let Some(release) = child.release {
                release(&raw mut *child);
            }
        }
        (*array).release = None;
    }
}
