use std::fs::{self, File};
use std::path::Path;

use super::progress::Progress;
use super::stage::Stage;
use super::unpinned::{MAX_FILE_BYTES, is_model_file};
use crate::record::RECORD;
use crate::{CheckpointError, ModelFolder};

/// Copies the model files of a folder and of its direct subfolders. Links are followed: the hub's
/// cache consists of links.
pub(super) fn copy(
    source: &ModelFolder,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), CheckpointError> {
    for name in names(source.path(), "")? {
        let path = source.file(&name);
        if path.is_dir() {
            for inner in names(&path, &format!("{name}/"))? {
                copy_one(source, &inner, stage, progress)?;
            }
        } else {
            copy_one(source, &name, stage, progress)?;
        }
    }
    Ok(())
}

/// Copies one GGUF file.
pub(super) fn copy_gguf(
    path: &Path,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), CheckpointError> {
    let io = |source| CheckpointError::io(path, source);
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io(std::io::Error::other("its name is not UTF-8")))?;
    let mut file = File::open(path).map_err(io)?;
    stage.store(name, &mut file, MAX_FILE_BYTES, progress)
}

fn copy_one(
    source: &ModelFolder,
    name: &str,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), CheckpointError> {
    let path = source.file(name);
    if !path.is_file() || !is_model_file(name) || name == RECORD {
        return Ok(());
    }
    let mut file = File::open(&path).map_err(|error| CheckpointError::io(&path, error))?;
    stage.store(name, &mut file, MAX_FILE_BYTES, progress)
}

fn names(folder: &Path, prefix: &str) -> Result<Vec<String>, CheckpointError> {
    let entries = fs::read_dir(folder).map_err(|source| CheckpointError::io(folder, source))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.map(|name| format!("{prefix}{name}")).collect())
}
