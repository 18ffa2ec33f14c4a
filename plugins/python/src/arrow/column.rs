//! Columns and their buffers.

use std::ffi::c_void;

/// A column without nulls.
pub(crate) enum Column {
    /// Texts, one after another, and where each begins and the last ends.
    Texts { ends: Vec<i64>, bytes: Vec<u8> },
    /// Numbers of 32 bits.
    Numbers(Vec<f32>),
    /// Whole numbers from 0.
    Whole(Vec<u64>),
}

impl Column {
    pub(crate) fn texts<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> Self {
        let (mut ends, mut bytes) = (vec![0], Vec::new());
        for text in texts {
            bytes.extend_from_slice(text.as_ref().as_bytes());
            ends.push(bytes.len() as i64);
        }
        Self::Texts { ends, bytes }
    }

    /// The format of its values, in the notation of the interface.
    pub(super) fn format(&self) -> &'static std::ffi::CStr {
        match self {
            Self::Texts { .. } => c"U",
            Self::Numbers(_) => c"f",
            Self::Whole(_) => c"L",
        }
    }

    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Texts { ends, .. } => ends.len() - 1,
            Self::Numbers(numbers) => numbers.len(),
            Self::Whole(numbers) => numbers.len(),
        }
    }

    /// Its buffers: no validity, then the values.
    pub(super) fn buffers(&self) -> Vec<*const c_void> {
        let none = std::ptr::null();
        match self {
            Self::Texts { ends, bytes } => vec![none, ends.as_ptr().cast(), bytes.as_ptr().cast()],
            Self::Numbers(numbers) => vec![none, numbers.as_ptr().cast()],
            Self::Whole(numbers) => vec![none, numbers.as_ptr().cast()],
        }
    }
}

/// Columns of the same number of rows, with their names.
pub(crate) struct Table(pub(super) Vec<(&'static str, Column)>);

impl Table {
    pub(crate) fn new(columns: Vec<(&'static str, Column)>) -> Self {
        debug_assert!(columns.iter().all(|(_, column)| column.rows() == columns[0].1.rows()));
        Self(columns)
    }
}
