use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::serve::{Settings, serve_stdio};

use crate::commands::serve::databases;

/// Serve databases to an agent that starts this program (MCP on standard input and output)
#[derive(Args)]
pub(crate) struct Mcp {
    /// The databases; the first is meant where a call names none
    #[arg(required = true)]
    databases: Vec<PathBuf>,
    /// Let the agent add and remove documents
    #[arg(long)]
    write: bool,
    /// The generator that writes answers
    #[arg(long, value_name = "NAME|PATH", default_value = postil::DEFAULT_GENERATOR)]
    generator: String,
}

/// Standard output belongs to the protocol.
pub(crate) fn run(args: &Mcp) -> Result<ExitCode> {
    let mut settings = Settings::default();
    settings.may_write = args.write;
    serve_stdio(settings, databases(&args.databases, &args.generator, args.write)?)?;
    Ok(ExitCode::SUCCESS)
}
