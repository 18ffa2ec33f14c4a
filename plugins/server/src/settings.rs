//! Settings of a server, with their defaults.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

/// Port unless another is named.
pub const DEFAULT_PORT: u16 = 8765;

/// Settings of a server. The defaults let in nobody but programs of this machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Address to listen on; one that is not loopback needs a token.
    pub host: IpAddr,
    /// Port; 0 for any that is free.
    pub port: u16,
    /// Secret that every request must bring; `None` for none.
    pub token: Option<String>,
    /// Names by which the server may be reached, beside its addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Origins of pages that may use the server, such as `https://desk.example`.
    pub origins: Vec<String>,
    /// True when requests may add and remove documents.
    pub may_write: bool,
    /// Folder that backups go to and files are ingested from; `None` for neither.
    pub root: Option<PathBuf>,
    /// True to log the text of questions.
    pub logs_text: bool,
    /// Threads that serve connections.
    pub threads: usize,
    /// Bounds of requests.
    pub limits: Limits,
}

/// Bounds of requests and of work at a time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a body of documents.
    pub upload_bytes: usize,
    /// Bytes of any other body.
    pub body_bytes: usize,
    /// Bytes of all bodies held at a time.
    pub held_bytes: usize,
    /// Connections open at a time.
    pub connections: usize,
    /// Searches at a time.
    pub searches: usize,
    /// Questions answered at a time.
    pub questions: usize,
    /// Requests that wait for their turn.
    pub waiting: usize,
    /// Jobs that wait for their turn.
    pub jobs: usize,
    /// Time for the head of a request; connections without a request are closed after it.
    pub head_time: Duration,
    /// Time for the body of a request.
    pub body_time: Duration,
    /// Time for waiting and work of a request.
    pub work_time: Duration,
    /// Time that requests at work get when the server ends.
    pub grace_time: Duration,
    /// Largest `k`.
    pub k: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            upload_bytes: 64 << 20,
            body_bytes: 1 << 20,
            held_bytes: 512 << 20,
            connections: 8192,
            searches: 64,
            questions: 2,
            waiting: 256,
            jobs: 256,
            head_time: Duration::from_secs(60),
            body_time: Duration::from_secs(60),
            work_time: Duration::from_secs(120),
            grace_time: Duration::from_secs(30),
            k: 1000,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: DEFAULT_PORT,
            token: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            may_write: false,
            root: None,
            logs_text: false,
            threads: 2,
            limits: Limits::default(),
        }
    }
}
