use std::env;
use std::fs::{self, File};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Repo, RepoType};

use super::error::Reason;
use super::license;
use super::progress::Progress;
use super::stage::Stage;
use super::unpinned::{MAX_FILE_BYTES, is_model_file};
use crate::naming::HubName;
use crate::{CheckpointError, KnownModel, file_digest};

/// Longest wait for the hub to accept a connection before it counts as unreachable.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);
/// Maximum number of files in one model.
const MAX_FILES: usize = 500;
/// The model card, which states the license.
const CARD: &str = "README.md";

/// Downloads the pinned files of a known model.
pub(super) fn fetch_known(
    known: &KnownModel,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), Reason> {
    let repository = open(known.hub_id, None)?;
    known.files.iter().try_for_each(|file| fetch(&repository, file.path, file.bytes, stage, progress))
}

/// A model that was downloaded.
pub(super) struct Fetched {
    /// Its name, with the GGUF file when it is one.
    pub(super) name: HubName,
    /// Commit of the repository.
    pub(super) revision: String,
    /// License that the model card states.
    pub(super) license: Option<String>,
}

/// Downloads the model called `name`: one GGUF file, or all model files of the repository, at
/// `revision` or, without one, as they are now.
pub(super) fn fetch_named(
    name: &HubName,
    revision: Option<&str>,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Fetched, Reason> {
    let content = open(&name.id, revision)?.info().map_err(|error| Reason::Refused(error.to_string()))?;
    let files: Vec<&str> = content.siblings.iter().map(|file| file.rfilename.as_str()).collect();
    let name = choose(name, &files)?;
    // From here on at one commit, whatever is pushed meanwhile.
    let repository = open(&name.id, Some(&content.sha))?;
    match &name.file {
        Some(file) => {
            let stored = name.file_name().unwrap_or(file);
            fetch_as(&repository, file, stored, MAX_FILE_BYTES, stage, progress)?;
        }
        None => {
            let wanted = files.iter().filter(|file| is_model_file(file)).take(MAX_FILES);
            wanted
                .into_iter()
                .try_for_each(|file| fetch(&repository, file, MAX_FILE_BYTES, stage, progress))?;
        }
    }
    let card = files.contains(&CARD).then(|| repository.get(CARD).ok()).flatten();
    let license = card.and_then(|card| license::stated_in(&card));
    Ok(Fetched { name, revision: content.sha, license })
}

/// The model that `name` means in a repository with these files.
fn choose(name: &HubName, files: &[&str]) -> Result<HubName, Reason> {
    let whole: Vec<&str> =
        files.iter().copied().filter(|file| file.ends_with(".gguf") && !is_part_of_several(file)).collect();
    match &name.file {
        Some(file) if !files.contains(&file.as_str()) => {
            Err(Reason::NoFile { file: file.clone(), files: whole.join(", ") })
        }
        Some(file) if is_part_of_several(file) => Err(Reason::Split { file: file.clone() }),
        Some(_) => Ok(name.clone()),
        None if files.contains(&"config.json") && files.iter().any(|file| file.ends_with(".safetensors")) => {
            Ok(name.clone())
        }
        None => match whole[..] {
            [] => Err(Reason::NoModel),
            [file] => name.with_file(file).ok_or(Reason::NoModel),
            [first, ..] => Err(Reason::Choose {
                name: name.id.clone(),
                first: first.to_owned(),
                files: whole.join(", "),
            }),
        },
    }
}

/// True for names such as `model-00001-of-00003.gguf`.
fn is_part_of_several(file: &str) -> bool {
    let number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let stem = file.strip_suffix(".gguf").unwrap_or(file);
    let Some((before, count)) = stem.rsplit_once("-of-") else { return false };
    number(count) && before.rsplit_once('-').is_some_and(|(_, part)| number(part))
}

/// The repository `id`, at `revision` or its main branch.
fn open(id: &str, revision: Option<&str>) -> Result<ApiRepo, Reason> {
    if is_true("HF_HUB_OFFLINE") {
        return Err(Reason::Offline);
    }
    reach(&env::var("HF_ENDPOINT").unwrap_or_else(|_| "https://huggingface.co".to_owned()))?;
    // `from_env` reads HF_HOME, HF_ENDPOINT and the stored token.
    let api = ApiBuilder::from_env().with_progress(false).build();
    let api = api.map_err(|error| Reason::Refused(error.to_string()))?;
    Ok(api.repo(match revision {
        Some(revision) => Repo::with_revision(id.to_owned(), RepoType::Model, revision.to_owned()),
        None => Repo::new(id.to_owned(), RepoType::Model),
    }))
}

fn fetch(
    repository: &ApiRepo,
    name: &str,
    limit_bytes: u64,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), Reason> {
    fetch_as(repository, name, name, limit_bytes, stage, progress)
}

/// Downloads the file `name` of a repository and stores it as `stored`.
fn fetch_as(
    repository: &ApiRepo,
    name: &str,
    stored: &str,
    limit_bytes: u64,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), Reason> {
    let cached = repository.get(name).map_err(|error| Reason::Refused(format!("{name}: {error}")))?;
    let mut file = File::open(&cached).map_err(|source| CheckpointError::io(&cached, source))?;
    stage.store(stored, &mut file, limit_bytes, progress)?;
    let Some(announced) = announced_digest(&cached) else { return Ok(()) };
    let got = file_digest(&stage.path().join(stored))?;
    if got == announced {
        return Ok(());
    }
    Err(Reason::Damaged { file: name.to_owned(), got, announced })
}

/// SHA-256 that the hub announced for a large file: the cache names its content by it, behind a
/// link. `None` for small files, whose names there are of another kind, and where the cache has no
/// links.
fn announced_digest(cached: &Path) -> Option<String> {
    let blob = fs::read_link(cached).ok()?;
    let name = blob.file_name()?.to_str()?;
    let is_digest = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| name.to_ascii_lowercase())
}

/// Fails early when nothing listens at `endpoint`, since the hub's client would wait long.
fn reach(endpoint: &str) -> Result<(), Reason> {
    let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    if proxies.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Ok(());
    }
    let (host, port) = address(endpoint);
    let unreachable = |reason: String| Reason::Unreachable(format!("{host}: {reason}"));
    let addresses =
        (host.as_str(), port).to_socket_addrs().map_err(|error| unreachable(error.to_string()))?;
    let mut last = "no address".to_owned();
    for address in addresses.take(2) {
        match TcpStream::connect_timeout(&address, CONNECT_LIMIT) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(unreachable(last))
}

/// Host and port of a URL.
fn address(endpoint: &str) -> (String, u16) {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("https", endpoint));
    let authority = rest.split('/').next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let default = if scheme == "http" { 80 } else { 443 };
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => match port.parse() {
            Ok(port) => (host.trim_matches(['[', ']']).to_owned(), port),
            Err(_) => (authority.trim_matches(['[', ']']).to_owned(), default),
        },
        _ => (authority.to_owned(), default),
    }
}

/// True when `variable` is set to a true value, as the hub's own client reads it.
fn is_true(variable: &str) -> bool {
    env::var(variable)
        .is_ok_and(|value| matches!(value.to_ascii_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_means_its_folder_or_its_only_gguf_file_and_several_are_listed() {
        let name = |name: &str| HubName::parse(name).unwrap();
        let chosen = |asked: &str, files: &[&str]| choose(&name(asked), files);
        let folder = ["config.json", "model.safetensors", "a.gguf", "b.gguf"];
        assert_eq!(chosen("o/m", &folder).unwrap(), name("o/m"));
        assert_eq!(chosen("o/m:b.gguf", &folder).unwrap(), name("o/m:b.gguf"));
        assert_eq!(chosen("o/m", &["README.md", "q/a.gguf"]).unwrap(), name("o/m:q/a.gguf"));
        let parts = ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"];
        assert!(matches!(chosen("o/m", &parts), Err(Reason::NoModel)));
        assert!(matches!(chosen("o/m:a-00001-of-00002.gguf", &parts), Err(Reason::Split { .. })));
        let said = chosen("o/m", &["a.gguf", "b.gguf"]).unwrap_err().to_string();
        assert!(said.contains("o/m:a.gguf") && said.contains("a.gguf, b.gguf"), "{said}");
        let said = chosen("o/m:c.gguf", &folder).unwrap_err().to_string();
        assert!(said.contains("no c.gguf") && said.contains("a.gguf, b.gguf"), "{said}");
    }

    #[test]
    fn an_endpoint_names_its_host_and_port() {
        assert_eq!(address("https://a.example"), ("a.example".to_owned(), 443));
        assert_eq!(address("http://a.example/path"), ("a.example".to_owned(), 80));
        assert_eq!(address("http://user@a.example:8080/x"), ("a.example".to_owned(), 8080));
        assert_eq!(address("https://[::1]:9"), ("::1".to_owned(), 9));
    }

    #[test]
    fn an_endpoint_nobody_listens_at_is_unreachable() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (host, port) = address(&format!("http://127.0.0.1:{free}"));
        assert!(
            TcpStream::connect_timeout(&format!("{host}:{port}").parse().unwrap(), CONNECT_LIMIT).is_err()
        );
    }
}
