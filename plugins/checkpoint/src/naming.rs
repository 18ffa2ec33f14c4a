use std::path::{Path, PathBuf};

/// Sign between the parts of a GGUF model's folder name; no hub allows it in an id.
const SIGN: char = '@';
const GGUF: &str = ".gguf";

/// Name of a model on a hub: `organization/name` for a folder, `organization/name:FILE.gguf` for
/// one GGUF file, which may lie in a folder of the repository (`organization/name:dir/FILE.gguf`).
///
/// Its parts contain only characters that the hub allows, so that [`HubName::folder`] is a path
/// below the model home. A GGUF file has a folder of its own, `organization/name@FILE`: several
/// files of one repository stand beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HubName {
    /// Id of the repository, `organization/name`.
    pub(crate) id: String,
    /// Path of the GGUF file in the repository; `None` for a folder.
    pub(crate) file: Option<String>,
}

impl HubName {
    /// Reads a name; `None` when it is none, or could lead out of the model home.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (id, file) = match name.split_once(':') {
            Some((id, file)) => (id, Some(file)),
            None => (name, None),
        };
        let (organization, repository) = id.split_once('/')?;
        let file_fits = file.is_none_or(|file| {
            file.strip_suffix(GGUF).is_some_and(|stem| !stem.ends_with('/')) && file.split('/').all(is_part)
        });
        let fits = is_part(organization) && is_part(repository) && file_fits;
        fits.then(|| Self { id: id.to_owned(), file: file.map(str::to_owned) })
    }

    /// The model's folder, relative to the model home.
    pub(crate) fn folder(&self) -> PathBuf {
        match &self.file {
            None => PathBuf::from(&self.id),
            Some(file) => {
                let stem = file.strip_suffix(GGUF).unwrap_or(file);
                PathBuf::from(format!("{}{SIGN}{}", self.id, stem.replace('/', &SIGN.to_string())))
            }
        }
    }
}

#[cfg(any(feature = "fetch", test))]
impl HubName {
    /// The name of the GGUF file `file` in the same repository; `None` when its path could lead out
    /// of the model home.
    pub(crate) fn with_file(&self, file: &str) -> Option<Self> {
        Self::parse(&format!("{}:{file}", self.id))
    }

    /// File name of the GGUF file, without its folders in the repository.
    pub(crate) fn file_name(&self) -> Option<&str> {
        self.file.as_deref().map(|file| file.rsplit_once('/').map_or(file, |(_, name)| name))
    }

    /// The name as the user gives it.
    pub(crate) fn name(&self) -> String {
        self.file.as_ref().map_or_else(|| self.id.clone(), |file| format!("{}:{file}", self.id))
    }
}

/// True for a name on a hub: `organization/name` or `organization/name:FILE.gguf`.
pub fn is_hub_name(name: &str) -> bool {
    HubName::parse(name).is_some()
}

/// Name of the model in the folder `inner` of the folder `organization` in the model home.
pub(crate) fn name_of(organization: &str, inner: &str) -> String {
    match inner.split_once(SIGN) {
        None => format!("{organization}/{inner}"),
        Some((repository, stem)) => {
            format!("{organization}/{repository}:{}{GGUF}", stem.replace(SIGN, "/"))
        }
    }
}

/// True for the folder of a GGUF file that belongs to the repository called `repository`.
pub(crate) fn is_file_of(inner: &str, repository: &str) -> bool {
    inner.split_once(SIGN).is_some_and(|(name, _)| name == repository)
}

/// The only GGUF file in `folder`, hidden ones left out; `None` when there is none or more than
/// one.
pub(crate) fn only_gguf(folder: &Path) -> Option<PathBuf> {
    let mut found = None;
    for entry in folder.read_dir().ok()? {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?;
        if name.ends_with(GGUF) && !name.starts_with('.') && path.is_file() && found.replace(path).is_some() {
            return None;
        }
    }
    found
}

/// True for one component of a path in the characters that the hub allows.
fn is_part(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_the_home() {
        for name in [
            "../x",
            "a/..",
            "a/b/c",
            "/a",
            "a/",
            ".a/b",
            "a\\b/c",
            "a/b:",
            "a/b:.gguf",
            "a/b:../c.gguf",
            "a/b:c",
            "a/b:/c.gguf",
            "a/b:c/.gguf",
            "a/b@c",
            "a/b:c@d.gguf",
            "plain",
        ] {
            assert_eq!(HubName::parse(name), None, "{name}");
        }
        assert!(HubName::parse("sentence-transformers/all-MiniLM-L12-v2").is_some());
    }

    #[test]
    fn a_folder_leads_back_to_the_name() {
        for (name, folder) in [
            ("org/model", "org/model"),
            ("org/model:q4_k_m.gguf", "org/model@q4_k_m"),
            ("org/model:q4/m.Q4.gguf", "org/model@q4@m.Q4"),
        ] {
            let parsed = HubName::parse(name).unwrap();
            assert_eq!((parsed.name().as_str(), parsed.folder()), (name, PathBuf::from(folder)));
            let (organization, inner) = folder.split_once('/').unwrap();
            assert_eq!(name_of(organization, inner), name);
            assert_eq!(is_file_of(inner, "model"), parsed.file.is_some());
        }
        assert_eq!(HubName::parse("o/m:q4/m.Q4.gguf").unwrap().file_name(), Some("m.Q4.gguf"));
    }
}
