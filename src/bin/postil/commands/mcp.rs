use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::serve::{Settings, serve_stdio};

use crate::commands::serve::{access, databases};
use crate::flags::Reading;
use crate::render;

/// Serve databases to an agent that starts this program (MCP on standard input and output)
#[derive(Args)]
pub(crate) struct Mcp {
    /// The databases; the first is meant where a call names none
    #[arg(required = true)]
    databases: Vec<PathBuf>,
    /// Let the agent add and remove documents
    #[arg(long, conflicts_with = "published")]
    write: bool,
    #[command(flatten)]
    reading: Reading,
    /// The generator that writes answers
    #[arg(long, value_name = "NAME|PATH", default_value = postil::DEFAULT_GENERATOR)]
    generator: String,
}

/// Standard output belongs to the protocol, standard error is the agent's log.
pub(crate) fn run(args: &Mcp) -> Result<ExitCode> {
    let mut settings = Settings::default();
    settings.may_write = args.write;
    let databases = databases(&args.databases, &args.generator, access(args.write, args.reading))?;
    for ((_, served), path) in databases.iter().zip(&args.databases) {
        if !served.about().is_published {
            eprintln!(
                "{}: while this runs, no other process can open it; --published keeps nobody out",
                render::on_one_line(&path.display().to_string())
            );
        }
    }
    serve_stdio(settings, databases)?;
    Ok(ExitCode::SUCCESS)
}
