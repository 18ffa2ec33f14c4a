use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use postil::serve::{Access, Served, Server, Settings, open};
use postil::{Database, Document, HashEncoder};
use serde_json::Value;

/// The generator that needs no model.
pub(crate) const GENERATOR: &str = "quote";

/// Makes a database of two documents.
pub(crate) fn make(path: &Path) {
    let db = Database::options().encoder(Arc::new(HashEncoder::default())).open(path).unwrap();
    let leave =
        Document::markdown("leave.md", "# Leave\n\nEvery parent gets forty days of parental leave.\n");
    db.ingest(leave.with_metadata("year", 2024)).unwrap();
    db.ingest(
        Document::new("travel.txt", "Trains are booked by the front desk.").with_metadata("year", 2019),
    )
    .unwrap();
    db.close().unwrap();
}

/// A server in this process, which ends when this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) home: tempfile::TempDir,
    stop: Box<dyn Fn() + Send + Sync>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        (self.stop)();
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

/// Starts a server over a database of two documents.
pub(crate) fn start(change: impl FnOnce(&mut Settings, &Path)) -> Running {
    let home = tempfile::tempdir().unwrap();
    make(&home.path().join("d.postil"));
    let mut settings = Settings::default();
    settings.port = 0;
    change(&mut settings, home.path());
    let access = if settings.may_write { Access::Write } else { Access::Read };
    let serving = open(home.path().join("d.postil"), GENERATOR, access).unwrap();
    let databases: Vec<(String, Arc<dyn Served>)> = vec![("d".to_owned(), Arc::new(serving))];
    let server = Server::bind(settings, databases).unwrap();
    let (address, stop) = (server.address(), Box::new(server.stopper()));
    let thread = std::thread::spawn(move || server.run().unwrap());
    Running { address, home, stop, thread: Some(thread) }
}

/// A server that may write.
pub(crate) fn writing() -> Running {
    start(|settings, _| settings.may_write = true)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The answer of a request that succeeded.
    pub(crate) fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json()
    }

    /// Message of a request that was refused with a status.
    pub(crate) fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// Sends bytes as they are and reads the answer to its end.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    // A server that has refused may close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read);
    parse(&read)
}

fn parse(read: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(read);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if is_chunked { unchunked(body) } else { body.to_owned() };
    Answer { status, head: head.to_ascii_lowercase(), body }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole += rest.get(..size).unwrap_or_default();
        body = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}

impl Running {
    /// A request with headers of its own, a line each.
    pub(crate) fn with(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let address = self.address;
        let host = if headers.lines().any(|line| line.to_ascii_lowercase().starts_with("host:")) {
            String::new()
        } else {
            format!("Host: {address}\r\n")
        };
        let mut bytes = format!(
            "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        raw(address, &bytes)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.with("GET", path, "", b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.with("POST", path, "Content-Type: application/json\r\n", body.to_string().as_bytes())
    }
}
