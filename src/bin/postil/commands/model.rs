use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use postil::models::{self, Progress, known_model, known_models, locate, model_home, verify};
use serde_json::json;

use crate::args::Model;
use crate::render;

pub(crate) fn run(args: &Model) -> Result<ExitCode> {
    match args {
        Model::List(output) => list(output.json),
        Model::Add { model, output } => {
            let folder = add(model)?;
            if output.json {
                render::json(&json!({ "model": model, "folder": folder }))?;
            } else {
                render::text(&format!("{model} is ready in {}", folder.display()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Model::Check { model, output } => check(model, output.json),
    }
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
    let known: Vec<_> =
        known_models().iter().filter(|known| here.iter().all(|model| model.name != known.name)).collect();
    if as_json {
        let here: Vec<_> =
            here.iter().map(|model| json!({ "name": model.name, "folder": model.path })).collect();
        let known: Vec<_> =
            known.iter().map(|known| json!({ "name": known.name, "license": known.license })).collect();
        render::json(&json!({ "home": home, "installed": here, "available": known }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for model in &here {
        render::text(&format!("{}  installed in {}", model.name, model.path.display()))?;
    }
    for known in known {
        render::text(&format!("{0}  can be added with: postil model add {0}", known.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(model: &str, as_json: bool) -> Result<ExitCode> {
    let known = known_model(model).with_context(|| {
        let names: Vec<&str> = known_models().iter().map(|known| known.name).collect();
        format!("{model} has no pinned checksums; the models that have are: {}", names.join(", "))
    })?;
    let folder = locate(known.name, &model_home()?)?;
    let wrong: Vec<String> = verify(&folder, known)?.iter().map(ToString::to_string).collect();
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
