use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bounded::read_bounded;
use crate::{CheckpointError, Damage, Weights};

/// Largest configuration file that is read, in bytes; published ones have a few kilobytes, a shard
/// index a few hundred.
const MAX_JSON_BYTES: u64 = 64 << 20;

const SINGLE_FILE: &str = "model.safetensors";
const SHARD_INDEX: &str = "model.safetensors.index.json";
/// PyTorch's names for pickles, which are never read; an error names the one found when there are
/// no other weights.
const PICKLED: [&str; 4] = ["pytorch_model.bin", "model.bin", "model.pt", "model.ckpt"];

/// A folder that holds one model; its `config.json` existed when it was opened.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    path: PathBuf,
}

#[derive(Deserialize)]
struct ShardIndex {
    weight_map: std::collections::BTreeMap<String, String>,
}

impl ModelFolder {
    /// Opens the model in `path`.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`] when there is no `config.json`.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        if !path.join("config.json").is_file() {
            return Err(CheckpointError::Missing { path: path.to_owned(), file: "config.json".to_owned() });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the model: the folder's name.
    pub fn name(&self) -> String {
        let absolute = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let name = self.path.file_name().or(absolute.file_name());
        name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Path of `file`, which need not exist.
    pub fn file(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }

    /// True when `file` exists.
    pub fn has(&self, file: &str) -> bool {
        self.file(file).is_file()
    }

    /// Reads a JSON file of the folder.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`] when it does not exist, [`CheckpointError::Corrupt`] when it is
    /// not a `T`.
    pub fn json<T: DeserializeOwned>(&self, file: &str) -> Result<T, CheckpointError> {
        match self.json_if_present(file)? {
            Some(value) => Ok(value),
            None => Err(CheckpointError::Missing { path: self.path.clone(), file: file.to_owned() }),
        }
    }

    /// Reads a JSON file of the folder; `None` when it does not exist.
    ///
    /// # Errors
    /// [`CheckpointError::Corrupt`] when it is not a `T`.
    pub fn json_if_present<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>, CheckpointError> {
        let path = self.file(file);
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = read_bounded(&path, MAX_JSON_BYTES)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|source| {
            CheckpointError::corrupt(&path, Damage::Unreadable { reason: source.to_string() })
        })
    }

    /// Reads a configuration of the folder as [`settings`](crate::settings) does.
    ///
    /// # Errors
    /// As [`ModelFolder::json`], with the field.
    pub fn settings<T: DeserializeOwned>(&self, file: &str) -> Result<T, CheckpointError> {
        self.read_settings(file, self.json(file)?)
    }

    /// Reads a configuration as [`ModelFolder::settings`] does; `None` when the file does not
    /// exist.
    ///
    /// # Errors
    /// [`CheckpointError::Corrupt`] with the field.
    pub fn settings_if_present<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>, CheckpointError> {
        self.json_if_present(file)?.map(|value| self.read_settings(file, value)).transpose()
    }

    fn read_settings<T: DeserializeOwned>(
        &self,
        file: &str,
        value: serde_json::Value,
    ) -> Result<T, CheckpointError> {
        let damage = |reason| CheckpointError::corrupt(&self.file(file), Damage::Unreadable { reason });
        crate::settings(value).map_err(damage)
    }

    /// Reads a text file of the folder; `None` when it does not exist.
    ///
    /// # Errors
    /// [`CheckpointError::Corrupt`] when it is not UTF-8.
    pub fn text_if_present(&self, file: &str) -> Result<Option<String>, CheckpointError> {
        let path = self.file(file);
        if !path.is_file() {
            return Ok(None);
        }
        String::from_utf8(read_bounded(&path, MAX_JSON_BYTES)?).map(Some).map_err(|source| {
            CheckpointError::corrupt(&path, Damage::Unreadable { reason: source.to_string() })
        })
    }

    /// The files that hold the weights: those of the shard index, or `model.safetensors`, or the
    /// only `*.safetensors` file.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`] when there is none, [`CheckpointError::Corrupt`] for an index
    /// that points out of the folder, or when all weights are pickled.
    pub fn weight_files(&self) -> Result<Vec<PathBuf>, CheckpointError> {
        if let Some(index) = self.json_if_present::<ShardIndex>(SHARD_INDEX)? {
            return self.shards(&index);
        }
        if self.has(SINGLE_FILE) {
            return Ok(vec![self.file(SINGLE_FILE)]);
        }
        let entries = fs::read_dir(&self.path).map_err(|source| CheckpointError::io(&self.path, source))?;
        let mut found: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|ext| ext == "safetensors") && path.is_file())
            .collect();
        match found.len() {
            1 => Ok(vec![found.remove(0)]),
            0 if let Some(pickled) = PICKLED.iter().find(|name| self.has(name)) => {
                Err(CheckpointError::corrupt(&self.file(pickled), Damage::Pickled))
            }
            _ => Err(CheckpointError::Missing {
                path: self.path.clone(),
                file: format!("{SINGLE_FILE} or {SHARD_INDEX}"),
            }),
        }
    }

    fn shards(&self, index: &ShardIndex) -> Result<Vec<PathBuf>, CheckpointError> {
        let mut names: Vec<&str> = index.weight_map.values().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        for name in &names {
            if !is_plain_name(name) {
                let damage = Damage::Escape { name: (*name).to_owned() };
                return Err(CheckpointError::corrupt(&self.file(SHARD_INDEX), damage));
            }
            if !self.has(name) {
                return Err(CheckpointError::Missing { path: self.path.clone(), file: (*name).to_owned() });
            }
        }
        Ok(names.into_iter().map(|name| self.file(name)).collect())
    }

    /// Checks the weights' headers and maps their files.
    ///
    /// # Errors
    /// As [`ModelFolder::weight_files`] and [`Weights::open`].
    pub fn weights(&self) -> Result<Weights, CheckpointError> {
        Weights::open(&self.path, &self.weight_files()?)
    }
}

/// True when `name` is one path component that stays in its folder.
fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_without_config_is_no_model() {
        let folder = folder_with(&[("model.safetensors", "")]);
        let error = ModelFolder::open(folder.path()).unwrap_err();
        assert!(matches!(error, CheckpointError::Missing { file, .. } if file == "config.json"));
    }

    #[test]
    fn a_shard_index_cannot_lead_out_of_the_folder() {
        for name in ["../secret.safetensors", "/etc/passwd", "a/b.safetensors", "", ".."] {
            let index = format!(r#"{{"weight_map":{{"w":"{name}"}}}}"#);
            let folder = folder_with(&[("config.json", "{}"), (SHARD_INDEX, &index)]);
            let error = ModelFolder::open(folder.path()).unwrap().weight_files().unwrap_err();
            assert!(
                matches!(error, CheckpointError::Corrupt { damage: Damage::Escape { .. }, .. }),
                "{name}"
            );
        }
    }

    #[test]
    fn pickled_weights_are_refused_and_nothing_in_them_is_run() {
        // A pickle of an object that runs `touch PATH` when it is read.
        let folder = folder_with(&[("config.json", "{}")]);
        let proof = folder.path().join("was-run");
        let pickle = format!("cos\nsystem\n(S'touch {}'\ntR.", proof.display());
        for name in PICKLED {
            std::fs::write(folder.path().join(name), &pickle).unwrap();
            match ModelFolder::open(folder.path()).unwrap().weights().map(|_| ()) {
                Err(CheckpointError::Corrupt { path, damage: Damage::Pickled }) => {
                    assert_eq!(path, folder.path().join(name));
                }
                other => panic!("{other:?}"),
            }
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        // A pickle with another name is still not a safetensors file.
        std::fs::write(folder.path().join("model.safetensors"), &pickle).unwrap();
        let error = ModelFolder::open(folder.path()).unwrap().weights().map(|_| ()).unwrap_err();
        assert!(matches!(error, CheckpointError::Corrupt { .. }), "{error}");
        assert!(!proof.exists());
    }

    #[test]
    fn a_shard_that_is_not_there_is_named() {
        let index = r#"{"weight_map":{"w":"model-00001-of-00002.safetensors"}}"#;
        let folder = folder_with(&[("config.json", "{}"), (SHARD_INDEX, index)]);
        let error = ModelFolder::open(folder.path()).unwrap().weight_files().unwrap_err();
        assert!(error.to_string().contains("model-00001-of-00002.safetensors"), "{error}");
    }

    #[test]
    fn broken_json_names_the_file() {
        let folder = folder_with(&[("config.json", "{")]);
        let error =
            ModelFolder::open(folder.path()).unwrap().json::<ShardIndex>("config.json").err().unwrap();
        assert!(error.to_string().contains("config.json"), "{error}");
    }
}
