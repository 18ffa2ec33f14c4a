//! A stand-in for a hub of models on a local port.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

/// Files by their path in the one repository, whatever it is called.
type Files = BTreeMap<String, Vec<u8>>;

/// A hub that answers what the hub's client asks: a list of files at a revision, and each file, in
/// part or whole. It announces the sha256 of `.gguf` and `.safetensors` files, as the hub does of
/// large files.
pub(crate) struct Hub {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: Files,
    revision: String,
    asked: Vec<String>,
    /// Digest to announce instead of the right one.
    lie: Option<String>,
}

impl Hub {
    /// Starts a hub; it answers until the test's process ends.
    pub(crate) fn new(revision: &str, files: &[(&str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let hub = Self { endpoint, state: Arc::default() };
        hub.push(revision, files);
        let state = Arc::clone(&hub.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        hub
    }

    /// Replaces all files.
    pub(crate) fn push(&self, revision: &str, files: &[(&str, &[u8])]) {
        let mut state = self.state.lock().unwrap();
        revision.clone_into(&mut state.revision);
        state.files = files.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect();
    }

    /// Announces this digest for every large file from now on.
    pub(crate) fn announce(&self, digest: &str) {
        self.state.lock().unwrap().lie = Some(digest.to_owned());
    }

    /// Paths that were asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

/// Answers the requests of one connection.
fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if !matches!(reader.read_line(&mut request), Ok(1..)) {
            return;
        }
        let mut from = None;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
                break;
            }
            let line = line.to_ascii_lowercase();
            from = line.strip_prefix("range: bytes=").map(|range| range.trim().to_owned()).or(from);
        }
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let answer = respond(&mut state.lock().unwrap(), &path, from.as_deref());
        if reader.get_mut().write_all(&answer).is_err() {
            return;
        }
    }
}

fn respond(state: &mut State, path: &str, range: Option<&str>) -> Vec<u8> {
    state.asked.push(path.to_owned());
    if path.starts_with("/api/models/") {
        let siblings: Vec<_> =
            state.files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
        let body = serde_json::json!({ "siblings": siblings, "sha": state.revision }).to_string();
        return [b"HTTP/1.1 200 OK\r\n".as_slice(), &length(body.len()), body.as_bytes()].concat();
    }
    let file = path.split_once("/resolve/").and_then(|(_, rest)| rest.split_once('/'));
    let Some((name, content)) = file.and_then(|(_, name)| state.files.get_key_value(name)) else {
        return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec();
    };
    let (from, to) = range.and_then(|range| range.split_once('-')).unwrap_or(("0", ""));
    let from = from.parse().unwrap_or(0).min(content.len());
    let to = to.parse().map_or(content.len(), |to: usize| (to + 1).min(content.len()));
    let is_large = [".gguf", ".safetensors"].iter().any(|ending| name.ends_with(ending));
    let digest = hex::encode(Sha256::digest(content));
    let etag = match (&state.lie, is_large) {
        (Some(lie), true) => lie.clone(),
        (None, true) => digest,
        (_, false) => digest[..40].to_owned(),
    };
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nx-repo-commit: {}\r\netag: \"{etag}\"\r\n\
         content-range: bytes {from}-{}/{}\r\n",
        state.revision,
        to.saturating_sub(1),
        content.len()
    );
    [head.as_bytes(), &length(to - from), &content[from..to]].concat()
}

fn length(bytes: usize) -> Vec<u8> {
    format!("content-length: {bytes}\r\n\r\n").into_bytes()
}
