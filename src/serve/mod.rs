//! A database as `postil serve` and `postil mcp` serve it.
//!
//! The protocols are in `plugins/server`, which knows no database; this folder answers them with
//! the methods of [`Database`](crate::Database), and writes the JSON of `--json`.
//!
//! file | responsibility
//! ---|---
//! `served.rs` | an open database, to be written or only read
//! `find.rs`, `answers.rs` | searches and questions
//! `store.rs` | documents that come in and go
//! `form.rs` | errors and JSON

mod answers;
mod find;
mod form;
mod served;
mod store;

pub use postil_server::{DEFAULT_PORT, Limits, ServeError, Served, Server, Settings, log, serve_stdio};
pub use served::{Access, Serving, open};
