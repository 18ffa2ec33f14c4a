use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::CheckpointError;

/// The environment variable that names the folder holding model folders.
pub const HOME_VARIABLE: &str = "POSTIL_MODELS";

/// The folder that holds model folders: `$POSTIL_MODELS`, else `$XDG_DATA_HOME/postil/models`, else
/// `$HOME/.local/share/postil/models`. It need not exist.
///
/// # Errors
/// [`CheckpointError::NoHome`] when none of the variables is set.
pub fn model_home() -> Result<PathBuf, CheckpointError> {
    resolve(|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
}

fn resolve(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, CheckpointError> {
    // The XDG specification says to ignore a relative path in its variables.
    let xdg = || variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let user = || variable("HOME").map(|home| home.join(".local").join("share"));
    variable(HOME_VARIABLE)
        .or_else(|| xdg().or_else(user).map(|data| data.join("postil").join("models")))
        .ok_or(CheckpointError::NoHome)
}

/// A model folder in the home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The folder's name, or `organization/name` for a model added under its hub id.
    pub name: String,
    /// Path of the folder.
    pub path: PathBuf,
}

/// The model folders in `home`, ordered by name; empty when `home` does not exist.
///
/// # Errors
/// [`CheckpointError::Io`] when `home` cannot be listed.
pub fn list(home: &Path) -> Result<Vec<Installed>, CheckpointError> {
    let mut found = Vec::new();
    for (name, path) in folders(home)? {
        if path.join("config.json").is_file() {
            found.push(Installed { name, path });
            continue;
        }
        for (inner, path) in folders(&path)? {
            if path.join("config.json").is_file() {
                found.push(Installed { name: format!("{name}/{inner}"), path });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Path of the model folder called `name`, which is either a path or a name in `home`.
///
/// # Errors
/// [`CheckpointError::NotInstalled`] when it is neither.
pub fn locate(name: &str, home: &Path) -> Result<PathBuf, CheckpointError> {
    [home.join(name), PathBuf::from(name)]
        .into_iter()
        .find(|path| path.join("config.json").is_file())
        .ok_or_else(|| CheckpointError::NotInstalled { name: name.to_owned(), home: home.to_owned() })
}

/// Folders directly in `parent`, without hidden ones (unfinished additions).
fn folders(parent: &Path) -> Result<Vec<(String, PathBuf)>, CheckpointError> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(CheckpointError::io(parent, source)),
    };
    let named = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        (!name.starts_with('.') && entry.path().is_dir()).then(|| (name, entry.path()))
    });
    Ok(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Option<PathBuf> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, v)| PathBuf::from(v));
        resolve(find).ok()
    }

    #[test]
    fn the_home_is_the_first_variable_that_is_set() {
        let all = [(HOME_VARIABLE, "/m"), ("XDG_DATA_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(with(&all), Some("/m".into()));
        assert_eq!(with(&all[1..]), Some("/x/postil/models".into()));
        assert_eq!(with(&all[2..]), Some("/h/.local/share/postil/models".into()));
        assert_eq!(with(&[("XDG_DATA_HOME", "relative"), ("HOME", "/h")]), with(&all[2..]));
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn models_are_listed_by_name_and_unfinished_ones_are_not() {
        let home = tempfile::tempdir().unwrap();
        for name in ["small", "org/large", ".adding-x", "empty"] {
            fs::create_dir_all(home.path().join(name)).unwrap();
            if name != "empty" {
                fs::write(home.path().join(name).join("config.json"), "{}").unwrap();
            }
        }
        let names: Vec<String> = list(home.path()).unwrap().into_iter().map(|model| model.name).collect();
        assert_eq!(names, ["org/large", "small"]);
        assert_eq!(locate("small", home.path()).unwrap(), home.path().join("small"));
        assert!(matches!(locate("other", home.path()), Err(CheckpointError::NotInstalled { .. })));
        assert_eq!(list(&home.path().join("nowhere")).unwrap(), []);
    }
}
