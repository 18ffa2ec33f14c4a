use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use postil::models::{
    self, KnownModel, Progress, Record, known_model, known_models, locate, model_home, verify,
};
use postil::{Database, Reencoded, Watch};
use serde_json::json;

use crate::flags::Output;
use crate::{interrupt, render};

/// List, add, check and change models
#[derive(Args)]
pub(crate) struct Model {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the models that are installed and those that can be added, with kind, size and license
    List(Output),
    /// Fetch a model by name, or copy one from a folder or a GGUF file
    Add {
        /// A known name (all-MiniLM-L6-v2, smollm2-135m-instruct), a name on the hub (org/name or
        /// org/name:FILE.gguf), a folder or a GGUF file
        model: String,
        #[command(flatten)]
        output: Output,
    },
    /// Give a database another model: all its passages are embedded anew, and swapped in one step
    Use {
        /// Name or folder of the model
        model: String,
        /// The database
        database: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// Verify a model's files against their checksums: pinned, or recorded when it was added
    Check {
        /// Its name
        model: String,
        #[command(flatten)]
        output: Output,
    },
}

pub(crate) fn run(args: &Model) -> Result<ExitCode> {
    match &args.action {
        Action::List(output) => list(output.json),
        Action::Add { model, output } => {
            let folder = add(model)?;
            if output.json {
                render::json(&json!({ "model": model, "folder": folder }))?;
            } else {
                render::text(&format!("{model} is ready in {}", folder.display()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::Use { model, database, output } => change(model, database, output.json),
        Action::Check { model, output } => check(model, output.json),
    }
}

/// Gives a database another model.
fn change(model: &str, database: &Path, as_json: bool) -> Result<ExitCode> {
    let cancel = interrupt::listen("stopping; the database is unchanged")?;
    let watch = Watch::new().cancel(&cancel);
    let reencoded = Database::options().model(model).reencode(database, &watch)?;
    if as_json {
        render::json(&reencoded)?;
    } else if reencoded.passages == 0 {
        render::text(&format!("{} has {} already", database.display(), reencoded.after))?;
    } else {
        let Reencoded { before, after, passages } = &reencoded;
        render::text(&format!("{passages} passages embedded anew with {after}; before: {before}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fetches a model unless it is installed and intact; reports progress on stderr.
pub(crate) fn add(model: &str) -> Result<PathBuf> {
    let folder = models::add(model, &model_home()?, &mut |progress| match progress {
        Progress::Trying { source } => eprintln!("fetching {model} from {source}"),
        Progress::Failed { source, reason } => eprintln!("  {source} did not do: {reason}"),
        Progress::File { name, bytes } => eprintln!("  {name}, {bytes} bytes"),
        Progress::Checking => eprintln!("  checking"),
        _ => {}
    })?;
    Ok(folder)
}

fn list(as_json: bool) -> Result<ExitCode> {
    let home = model_home()?;
    let here = models::list(&home)?;
    let here: Vec<_> = here.into_iter().map(|model| (model.describe(), model)).collect();
    let known: Vec<&KnownModel> = known_models()
        .iter()
        .filter(|known| here.iter().all(|(_, model)| model.name != known.name))
        .collect();
    if as_json {
        let here: Vec<_> = here
            .iter()
            .map(|(facts, model)| {
                json!({
                    "name": model.name,
                    "folder": model.folder(),
                    "kind": facts.kind.to_string(),
                    "family": facts.family,
                    "bytes": facts.bytes,
                    "license": facts.license,
                })
            })
            .collect();
        let known: Vec<_> = known
            .iter()
            .map(|known| {
                let kind = known.kind.to_string();
                json!({ "name": known.name, "kind": kind, "bytes": known.bytes(), "license": known.license })
            })
            .collect();
        render::json(&json!({ "home": home, "installed": here, "available": known }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (facts, model) in &here {
        let family = facts.family.as_deref().unwrap_or("unknown family");
        let license = facts.license.as_deref().unwrap_or("license unknown");
        let facts = format!("{} ({family}), {}, {license}", facts.kind, megabytes(facts.bytes));
        render::text(&format!("{}  {facts}, installed in {}", model.name, model.folder().display()))?;
    }
    for known in known {
        let facts = format!("{}, {}, {}", known.kind, megabytes(known.bytes()), known.license);
        render::text(&format!("{0}  {facts}, can be added with: postil model add {0}", known.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A length for people.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn check(model: &str, as_json: bool) -> Result<ExitCode> {
    let home = model_home()?;
    let known = known_model(model);
    let path = locate(known.map_or(model, |known| known.name), &home)?;
    let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
    let wrong = match known {
        Some(known) => verify(folder, known)?,
        None => {
            let record = Record::read(folder)?.with_context(|| {
                format!("{model} has no recorded checksums; they are recorded when a model is added: postil model add")
            })?;
            record.verify(folder)?
        }
    };
    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    if as_json {
        render::json(&json!({ "model": model, "clean": wrong.is_empty(), "damage": wrong }))?;
    } else if wrong.is_empty() {
        render::text("clean")?;
    } else {
        for line in &wrong {
            render::text(line)?;
        }
        eprintln!("fetch it again with: postil model add {model}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
