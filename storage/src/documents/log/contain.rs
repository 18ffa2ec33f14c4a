//! Panics of sled turned into errors: on damaged files it answers most reads with an error and some
//! with a panic (an index out of bounds in `pagecache::segment`, when the log is shorter than its
//! snapshot says).
//!
//! Unwinding out of sled is sound, since its unsafe code runs to the end of each step before it
//! asserts anything; it may leave a tree that must not be written any more. So a panic while
//! opening drops all of sled, and one in a write is an error, which poisons the store.

use crate::error::{AtPath, Result, StorageError};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Returns the result of `of_sled`; an error or a panic becomes one of our errors, which names the
/// folder.
pub(in crate::documents) fn contained<T>(
    path: &Path,
    of_sled: impl FnOnce() -> sled::Result<T>,
) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(of_sled)) {
        Ok(result) => result.at(path),
        Err(panic) => Err(StorageError::corrupt(path, format!("sled panicked: {}", panic_message(&*panic)))),
    }
}

/// As [`contained`], for each step of an iterator. An error ends it: sled would return the same one
/// forever.
pub(in crate::documents) fn contained_steps<T>(
    path: PathBuf,
    of_sled: impl Iterator<Item = sled::Result<T>>,
) -> impl Iterator<Item = Result<T>> {
    let mut left = Some(of_sled);
    std::iter::from_fn(move || {
        let mut steps = left.take()?;
        let step = contained(&path, || steps.next().transpose());
        if step.is_ok() {
            left = Some(steps);
        }
        step.transpose()
    })
}

/// Returns the message of a panic, from its payload.
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_names_the_folder() {
        let error = contained::<()>(Path::new("trees"), || panic!("index {}", 4)).unwrap_err();
        assert_eq!(error.to_string(), "trees: damaged: sled panicked: index 4");
    }

    #[test]
    fn an_iterator_that_panics_gives_the_error_once_and_ends() {
        let steps = (0..9).map(|n| if n == 2 { panic!("at {n}") } else { Ok(n) });
        let got: Vec<_> = contained_steps("trees".into(), steps).map(Result::ok).collect();
        assert_eq!(got, [Some(0), Some(1), None]);
    }
}
