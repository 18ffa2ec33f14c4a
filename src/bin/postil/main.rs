//! The `postil` command: arguments in, library calls, text or JSON out. No logic lives here that
//! the library lacks.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command is for")]

mod commands;
mod exit;
mod flags;
mod interrupt;
mod memory;
mod meter;
mod open;
mod plain_json;
mod plot;
mod render;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Ask questions of your own documents, on your own machine, and see which passage each answer came
/// from.
#[derive(Parser)]
#[command(name = "postil", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Runs the command with the arguments of the process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the command with these arguments, the first of which is its own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    memory::hold_little();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && is_json() => {
            tell_json(error.render().to_string().trim().trim_start_matches("error: "));
            return ExitCode::from(exit::ARGUMENTS);
        }
        Err(error) => error.exit(),
    };
    cli.command.run().unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        if let Some(postil::Error::Cancelled) = error.downcast_ref() {
            eprintln!("interrupted; nothing is lost");
            return ExitCode::from(exit::INTERRUPTED);
        }
        let said = postil::with_causes(error.as_ref());
        match is_json() {
            true => tell_json(&said),
            false => eprintln!("postil: {}", render::printable(&said)),
        }
        ExitCode::FAILURE
    })
}

fn is_json() -> bool {
    std::env::args_os().any(|arg| arg == "--json")
}

/// Prints an error as JSON on stderr; nobody is left to be told when that cannot be written.
fn tell_json(error: &str) {
    let _ = plain_json::line(std::io::stderr(), &serde_json::json!({ "error": error }));
}

/// True when the reader of our output has closed the pipe, as `head` does: not worth a message.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
