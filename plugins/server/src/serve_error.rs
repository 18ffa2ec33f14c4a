//! Reasons that a server does not run.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::Failure;

/// Reason that a server does not start, or has ended with an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// No database was given.
    #[error("there is no database to serve")]
    NoDatabase,
    /// Two databases have one name.
    #[error("two databases are called {name:?}; rename one of their folders")]
    TwoOfOneName {
        /// The name.
        name: String,
    },
    /// The address can be reached from elsewhere, and there is no token.
    #[error("{host} can be reached from other machines: give a token with --token FILE or POSTIL_TOKEN")]
    NoToken {
        /// The address.
        host: std::net::IpAddr,
    },
    /// The token is too short to be a secret.
    #[error("the token has {got} characters, at least {least} are needed")]
    ShortToken {
        /// Its length.
        got: usize,
        /// The least length.
        least: usize,
    },
    /// A folder for files without the permission to write.
    #[error("{path}: a folder for files (--root) needs --write as well", path = path.display())]
    RootWithoutWrite {
        /// The folder.
        path: PathBuf,
    },
    /// The folder for files is none.
    #[error("{path}: {source}", path = path.display())]
    Root {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The threads of the server could not be started.
    #[error("the server's threads: {0}")]
    Threads(#[source] std::io::Error),
    /// A database could not finish.
    #[error("{name}: {failure}")]
    Finish {
        /// Name of the database.
        name: String,
        /// The reason.
        failure: Failure,
    },
    /// The connection to an agent failed.
    #[error("the agent: {0}")]
    Agent(String),
}
