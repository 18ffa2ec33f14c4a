use std::env;
use std::fs::File;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use hf_hub::api::sync::{ApiBuilder, ApiRepo};

use super::error::Reason;
use super::progress::Progress;
use super::stage::Stage;
use super::unpinned::{MAX_FILE_BYTES, is_model_file};
use crate::{CheckpointError, KnownModel};

/// Longest wait for the hub to accept a connection before it counts as unreachable.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);
/// Maximum number of files in one model.
const MAX_FILES: usize = 500;

/// Downloads the pinned files of a known model.
pub(super) fn fetch_known(
    known: &KnownModel,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), Reason> {
    let repository = open(known.hub_id)?;
    known.files.iter().try_for_each(|file| fetch(&repository, file.path, file.bytes, stage, progress))
}

/// Downloads all model files of a repository.
pub(super) fn fetch_all(id: &str, stage: &Stage, progress: &mut dyn FnMut(&Progress)) -> Result<(), Reason> {
    let repository = open(id)?;
    let content = repository.info().map_err(|error| Reason::Refused(error.to_string()))?;
    let files =
        content.siblings.iter().map(|file| file.rfilename.as_str()).filter(|name| is_model_file(name));
    let files: Vec<&str> = files.take(MAX_FILES).collect();
    files.into_iter().try_for_each(|name| fetch(&repository, name, MAX_FILE_BYTES, stage, progress))
}

fn open(id: &str) -> Result<ApiRepo, Reason> {
    if is_true("HF_HUB_OFFLINE") {
        return Err(Reason::Offline);
    }
    reach(&env::var("HF_ENDPOINT").unwrap_or_else(|_| "https://huggingface.co".to_owned()))?;
    // `from_env` reads HF_HOME, HF_ENDPOINT and the stored token.
    let api = ApiBuilder::from_env().with_progress(false).build();
    Ok(api.map_err(|error| Reason::Refused(error.to_string()))?.model(id.to_owned()))
}

fn fetch(
    repository: &ApiRepo,
    name: &str,
    limit_bytes: u64,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), Reason> {
    let cached = repository.get(name).map_err(|error| Reason::Refused(format!("{name}: {error}")))?;
    let mut file = File::open(&cached).map_err(|source| CheckpointError::io(&cached, source))?;
    Ok(stage.store(name, &mut file, limit_bytes, progress)?)
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
