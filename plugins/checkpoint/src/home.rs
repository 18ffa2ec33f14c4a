use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::CheckpointError;
use crate::naming::{HubName, is_file_of, name_of, only_gguf};

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

/// A model in the home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The folder's name, or the name on the hub for a model added under that:
    /// `organization/name` or `organization/name:FILE.gguf`.
    pub name: String,
    /// Path that opens the model: its folder, or the one GGUF file in its folder.
    pub path: PathBuf,
}

impl Installed {
    /// Path of the model's folder.
    pub fn folder(&self) -> &Path {
        if self.path.is_dir() { &self.path } else { self.path.parent().unwrap_or(&self.path) }
    }
}

/// The models in `home`, ordered by name; empty when `home` does not exist. A folder holds a model
/// when it has a `config.json` or exactly one GGUF file.
///
/// # Errors
/// [`CheckpointError::Io`] when `home` cannot be listed.
pub fn list(home: &Path) -> Result<Vec<Installed>, CheckpointError> {
    let mut found = Vec::new();
    for (name, path) in folders(home)? {
        if let Some(path) = model_in(&path) {
            found.push(Installed { name, path });
            continue;
        }
        for (inner, path) in folders(&path)? {
            if let Some(path) = model_in(&path) {
                found.push(Installed { name: name_of(&name, &inner), path });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Path of the model called `name`, which is either a path or a name in `home`: its folder, or its
/// one GGUF file. `organization/name` also finds the only GGUF file added from that repository.
///
/// # Errors
/// [`CheckpointError::NotInstalled`] when it is neither, [`CheckpointError::Ambiguous`] when
/// several GGUF files of the repository are installed.
pub fn locate(name: &str, home: &Path) -> Result<PathBuf, CheckpointError> {
    let hub = HubName::parse(name);
    let of_hub = hub.as_ref().map(|hub| home.join(hub.folder()));
    let places = of_hub.into_iter().chain([home.join(name), PathBuf::from(name)]);
    if let Some(path) = places.into_iter().find_map(|place| model_in(&place)) {
        return Ok(path);
    }
    let missing = || CheckpointError::NotInstalled { name: name.to_owned(), home: home.to_owned() };
    let HubName { id, file: None } = hub.ok_or_else(missing)? else { return Err(missing()) };
    let (organization, repository) = id.split_once('/').ok_or_else(missing)?;
    let inner = folders(&home.join(organization))?;
    let files = inner.into_iter().filter(|(inner, _)| is_file_of(inner, repository));
    let mut files: Vec<(String, PathBuf)> =
        files.filter_map(|(inner, path)| Some((name_of(organization, &inner), model_in(&path)?))).collect();
    files.sort();
    match files.len() {
        0 => Err(missing()),
        1 => Ok(files.remove(0).1),
        _ => {
            let names: Vec<String> = files.into_iter().map(|(name, _)| name).collect();
            Err(CheckpointError::Ambiguous { name: name.to_owned(), names: names.join(", ") })
        }
    }
}

/// Path that opens the model in `folder`; `None` when it holds none.
fn model_in(folder: &Path) -> Option<PathBuf> {
    if folder.join("config.json").is_file() {
        return Some(folder.to_owned());
    }
    only_gguf(folder)
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

    #[test]
    fn a_gguf_file_is_found_by_its_name_and_by_its_repository_while_that_is_clear() {
        let home = tempfile::tempdir().unwrap();
        let put = |folder: &str, file: &str| {
            fs::create_dir_all(home.path().join(folder)).unwrap();
            fs::write(home.path().join(folder).join(file), "").unwrap();
            home.path().join(folder).join(file)
        };
        let small = put("small", "small.gguf");
        let q4 = put("org/large@q4", "q4.gguf");
        assert_eq!(locate("small", home.path()).unwrap(), small);
        assert_eq!(locate("org/large:q4.gguf", home.path()).unwrap(), q4);
        assert_eq!(locate("org/large", home.path()).unwrap(), q4);
        assert!(
            locate("org/larg", home.path()).is_err() && locate("org/large:q8.gguf", home.path()).is_err()
        );
        put("org/large@sub@q8", "q8.gguf");
        let error = locate("org/large", home.path()).unwrap_err();
        let named = "org/large:q4.gguf, org/large:sub/q8.gguf";
        assert!(matches!(&error, CheckpointError::Ambiguous { names, .. } if names == named), "{error}");
        let models = list(home.path()).unwrap();
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(names, ["org/large:q4.gguf", "org/large:sub/q8.gguf", "small"]);
        assert_eq!((models[0].path.as_path(), models[0].folder()), (&*q4, q4.parent().unwrap()));
        // Two files in one folder are no model of that name.
        put("small", "other.gguf");
        assert!(locate("small", home.path()).is_err());
    }
}
