//! The `postil` command, run by its entry point in Python.

use std::ffi::OsString;
use std::process::ExitCode;

use pyo3::prelude::*;

use crate::call::short;

/// Runs the command; returns its exit status.
#[pyfunction]
pub(crate) fn run(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    let ended = short(py, || Ok(postil_command::run(arguments)));
    let code = ended.map_err(|failure| failure.raised(py, None))?;
    // An exit code does not tell its number, but knows its like.
    Ok((0..=u8::MAX).find(|number| ExitCode::from(*number) == code).unwrap_or(1))
}
