//! Running the `postil` command from tests, with the built-in encoder that needs no model.
#![allow(dead_code, reason = "each test uses its part")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The stand-in encoder's name.
pub(crate) const MODEL: &str = postil::HashEncoder::NAME;

/// `postil` in `folder`, not yet started.
pub(crate) fn postil(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postil"));
    command.current_dir(folder).args(args).stdin(Stdio::null());
    command.env("POSTIL_MODELS", folder.join("no-models-here"));
    command
}

/// Runs it to its end.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    postil(folder, args).output().unwrap()
}

/// Runs it, expects success, and returns what it printed.
pub(crate) fn succeed(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(output.status.success(), "postil {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it, expects success, and parses the one JSON object it printed.
pub(crate) fn json(folder: &Path, args: &[&str]) -> serde_json::Value {
    serde_json::from_str(&succeed(folder, args)).unwrap()
}

/// Runs it, expects failure, and returns what it said on stderr.
pub(crate) fn fail(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(!output.status.success(), "postil {args:?} should have failed");
    String::from_utf8(output.stderr).unwrap()
}
