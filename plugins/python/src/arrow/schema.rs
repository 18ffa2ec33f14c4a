//! A schema for the interface, and its release.
#![expect(unsafe_code, reason = "Arrow's C data interface passes pointers, and a function that frees them")]

use std::ffi::{CStr, CString, c_char};
use std::ptr::null_mut;

use super::layout::ArrowSchema;

/// The memory of a schema.
struct Owned {
    name: CString,
    children: Vec<*mut ArrowSchema>,
}

/// The schema of rows with these columns.
pub(super) fn of_rows(columns: &[(&'static str, &'static CStr)]) -> ArrowSchema {
    let child =
        |&(name, format): &(&str, &'static CStr)| Box::into_raw(Box::new(schema(format, name, Vec::new())));
    schema(c"+s", "", columns.iter().map(child).collect())
}

fn schema(format: &'static CStr, name: &str, children: Vec<*mut ArrowSchema>) -> ArrowSchema {
    // Names are those of this crate, which have no zeros.
    let name = CString::new(name).unwrap_or_default();
    let mut owned = Box::new(Owned { name, children });
    ArrowSchema {
        format: format.as_ptr(),
        name: owned.name.as_ptr(),
        metadata: std::ptr::null::<c_char>(),
        flags: 0,
        n_children: owned.children.len() as i64,
        children: owned.children.as_mut_ptr(),
        dictionary: null_mut(),
        release: Some(release),
        private_data: Box::into_raw(owned).cast(),
    }
}

/// Frees a schema and the children that were not moved out of it.
unsafe extern "C" fn release(schema: *mut ArrowSchema) {
    // SAFETY: the interface calls this once, with a schema that `schema` made, which it may have moved:
    // `private_data` is still the box that was leaked there, and each child still a box of its own.
    unsafe {
        let owned = Box::from_raw((*schema).private_data.cast::<Owned>());
        for &child in &owned.children {
            let mut child = Box::from_raw(child);
            if let Some(release) = child.release {
                release(&raw mut *child);
            }
        }
        (*schema).release = None;
    }
}
