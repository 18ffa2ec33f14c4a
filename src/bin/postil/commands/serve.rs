use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use postil::serve::{Access, Served, Server, Settings, open};

use crate::flags::Reading;
use crate::{exit, open as place, render};

/// Variable with the token.
const TOKEN: &str = "POSTIL_TOKEN";

/// Serve databases over HTTP: a page, an API, OpenAI's shapes, and MCP at /mcp
#[derive(Args)]
pub(crate) struct Serve {
    /// The databases; the first is meant where a request names none
    #[arg(required = true)]
    databases: Vec<PathBuf>,
    /// Address to listen on; one that other machines reach needs a token
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 for any that is free
    #[arg(long, default_value_t = postil::serve::DEFAULT_PORT)]
    port: u16,
    /// File with the secret that every request has to bring [default: the variable POSTIL_TOKEN]
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// Let requests add and remove documents
    #[arg(long, conflicts_with_all = ["read_only", "published"])]
    write: bool,
    /// Only read, which is the default
    #[arg(long)]
    read_only: bool,
    #[command(flatten)]
    reading: Reading,
    /// Folder that requests may ingest files from and copy databases to
    #[arg(long, value_name = "FOLDER", requires = "write")]
    root: Option<PathBuf>,
    /// Another name by which the server is reached
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Origin of a page that may use the server, such as https://desk.example
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// The generator that writes answers
    #[arg(long, value_name = "NAME|PATH", default_value = postil::DEFAULT_GENERATOR)]
    generator: String,
    /// Write the text of questions to the log too
    #[arg(long)]
    log_text: bool,
    /// Write the log as JSON lines
    #[arg(long)]
    log_json: bool,
}

pub(crate) fn run(args: &Serve) -> Result<ExitCode> {
    postil::serve::log(args.log_json);
    let mut settings = Settings::default();
    settings.host = args.host;
    settings.port = args.port;
    settings.token = token(args.token.as_deref())?;
    settings.hosts.clone_from(&args.allow_host);
    settings.origins.clone_from(&args.allow_origin);
    settings.may_write = args.write;
    settings.root.clone_from(&args.root);
    settings.logs_text = args.log_text;
    let server = Server::bind(
        settings,
        databases(&args.databases, &args.generator, access(args.write, args.reading))?,
    )?;
    let (stop, mut is_asked) = (server.stopper(), false);
    ctrlc::set_handler(move || {
        if is_asked {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
        is_asked = true;
        eprintln!("\nfinishing requests; again to stop at once");
        stop();
    })
    .context("cannot listen for Ctrl-C")?;
    render::text(&format!("serving at http://{}/", server.address()))?;
    server.run()?;
    Ok(ExitCode::SUCCESS)
}

/// State of the databases that the options ask for.
pub(super) fn access(may_write: bool, reading: Reading) -> Access {
    match (may_write, reading.published) {
        (true, _) => Access::Write,
        (false, true) => Access::Published,
        (false, false) => Access::Read,
    }
}

/// Opens the databases, each under the name of its folder.
pub(super) fn databases(
    paths: &[PathBuf],
    generator: &str,
    access: Access,
) -> Result<Vec<(String, Arc<dyn Served>)>> {
    let mut served: Vec<(String, Arc<dyn Served>)> = Vec::new();
    for path in paths {
        place::must_be_there(path)?;
        let serving = open(path, generator, access)?;
        if access == Access::Read && serving.is_published() {
            eprintln!(
                "{}: another process has it open; what that has published is shown",
                render::on_one_line(&path.display().to_string())
            );
        }
        served.push((name_of(path)?, Arc::new(serving)));
    }
    Ok(served)
}

/// Name of a database: that of its folder without `.postil`.
fn name_of(path: &Path) -> Result<String> {
    let full = path.canonicalize().with_context(|| path.display().to_string())?;
    let name = full.file_name().with_context(|| format!("{} has no name", path.display()))?.to_string_lossy();
    Ok(name.strip_suffix(".postil").unwrap_or(&name).to_owned())
}

/// The secret of a file, or of the environment; `None` for none.
fn token(file: Option<&Path>) -> Result<Option<String>> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).with_context(|| file.display().to_string())?,
        None => match std::env::var(TOKEN) {
            Ok(text) => text,
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(error) => bail!("{TOKEN}: {error}"),
        },
    };
    Ok(Some(text.trim().to_owned()))
}
