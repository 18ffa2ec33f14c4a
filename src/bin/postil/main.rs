//! The `postil` command: arguments in, library calls, text or JSON out. No logic lives here that
//! the library lacks.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command is for")]

mod args;
mod commands;
mod exit;
mod interrupt;
mod memory;
mod meter;
mod open;
mod plain_json;
mod plot;
mod render;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    memory::hold_little();
    let done = match Cli::parse().command {
        Command::Ingest(args) => commands::ingest::run(&args),
        Command::Search(args) => commands::search::run(&args),
        Command::Ask(args) => commands::ask::run(&args),
        Command::Warm(args) => commands::warm::run(&args),
        Command::Get(args) => commands::get::run(&args),
        Command::Rm(args) => commands::rm::run(&args),
        Command::Stat(args) => commands::stat::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Compact(args) => commands::compact::run(&args),
        Command::Publish(args) => commands::publish::run(&args),
        Command::Backup(args) => commands::backup::run(&args),
        Command::Restore(args) => commands::restore::run(&args),
        Command::Rebuild(args) => commands::rebuild::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Import(args) => commands::import::run(&args),
        Command::Eval(args) => commands::eval::run(&args),
        Command::Model(args) => commands::model::run(&args),
        Command::Demo(args) => commands::demo::run(&args),
    };
    done.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        if let Some(postil::Error::Cancelled) = error.downcast_ref() {
            eprintln!("interrupted; nothing is lost");
            return ExitCode::from(exit::INTERRUPTED);
        }
        eprintln!("postil: {}", render::printable(&postil::with_causes(error.as_ref())));
        ExitCode::FAILURE
    })
}

/// True when the reader of our output has closed the pipe, as `head` does: not worth a message.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
