//! Errors of the library as exceptions, which `postil._errors` defines: one class for each kind.

use postil::ErrorKind;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// A failure, until it is raised.
pub(crate) enum Failure {
    /// An error of the library.
    Library(postil::Error),
    /// An exception, such as one that a callback raised.
    Python(PyErr),
    /// A panic, with its message.
    Panic(String),
}

impl From<postil::Error> for Failure {
    fn from(error: postil::Error) -> Self {
        Self::Library(error)
    }
}

impl From<postil::StorageError> for Failure {
    fn from(error: postil::StorageError) -> Self {
        Self::Library(error.into())
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl Failure {
    /// The exception, with `cause`, if there is one, as its cause.
    pub(crate) fn raised(self, py: Python<'_>, cause: Option<PyErr>) -> PyErr {
        let error = match self {
            Self::Python(error) => return error,
            Self::Panic(message) => exception(
                py,
                "InternalError",
                format!("{message}; this is a fault of postil: please report it"),
            ),
            Self::Library(error) => library(py, &error),
        };
        if cause.is_some() {
            error.set_cause(py, cause);
        }
        error
    }
}

/// The exception of an error of the library, by its kind.
pub(crate) fn library(py: Python<'_>, error: &postil::Error) -> PyErr {
    let class = match error.kind() {
        ErrorKind::Input => "InputError",
        ErrorKind::NotFound => "NotFound",
        ErrorKind::InUse => "InUse",
        ErrorKind::NotPermitted => "NotPermitted",
        ErrorKind::Damaged => "Damaged",
        ErrorKind::Unsupported => "Unsupported",
        ErrorKind::Cancelled => "Cancelled",
        _ => "SystemFailure",
    };
    exception(py, class, postil::with_causes(error))
}

/// An `InputError`.
pub(crate) fn input(py: Python<'_>, message: impl Into<String>) -> PyErr {
    exception(py, "InputError", message)
}

/// An `InputTypeError`, for a value of a type that is not taken.
pub(crate) fn input_type(py: Python<'_>, message: impl Into<String>) -> PyErr {
    exception(py, "InputTypeError", message)
}

/// An exception of the class of that name in `postil._errors`.
pub(crate) fn exception(py: Python<'_>, class: &str, message: impl Into<String>) -> PyErr {
    let message = message.into();
    let found = py.import("postil._errors").and_then(|module| module.getattr(class));
    match found.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
        Ok(class) => PyErr::from_type(class, message),
        // While the interpreter ends, nothing can be imported any more.
        Err(_) => PyRuntimeError::new_err(message),
    }
}

/// Name of the type of a value, as messages have it.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "value".to_owned(), |name| name.to_string())
}
