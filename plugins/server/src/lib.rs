//! Postil over HTTP and MCP: one program that agents, editors, chat programs and browsers reach
//! the same documents through.
//!
//! This crate knows protocols and no database: what it serves implements [`Served`], which the
//! package `postil` does for its databases. So `postil`, which depends on this crate, stays the
//! only place that sees both sides, and its command the only program.
//!
//! file or folder | responsibility
//! ---|---
//! `served.rs`, `failure.rs` | a database as the server sees it, and why something was not done
//! `settings.rs` | settings and bounds
//! `serve.rs`, `serve_error.rs`, `listen.rs` | the program: from its start to its graceful end; connections
//! `app.rs` | state that all requests share
//! `guard.rs` | the door: hosts, origins, tokens, headers, counts, logs
//! `body.rs`, `held.rs`, `respond.rs`, `events.rs` | bodies in and the bytes they hold, responses out
//! `work.rs`, `jobs.rs` | work in turns, long work in the background
//! `root.rs` | paths of requests, kept under one folder
//! `metrics.rs`, `log.rs` | counts and times; the log
//! `native/` | the API of the commands
//! `openai/`, `files.rs` | the shapes of OpenAI's API; files that wait to be attached
//! `uri.rs` | addresses of documents
//! `mcp/` | the Model Context Protocol
//! `page/` | the page to ask on

mod app;
mod body;
mod events;
mod failure;
mod files;
mod guard;
mod held;
mod jobs;
mod listen;
mod log;
mod mcp;
mod metrics;
mod native;
mod openai;
mod page;
mod respond;
mod root;
mod serve;
mod serve_error;
mod served;
mod settings;
mod uri;
mod work;

pub use failure::{Failure, Kind};
pub use log::log;
pub use mcp::serve_stdio;
pub use serve::Server;
pub use serve_error::ServeError;
pub use served::{
    About, Answered, Ask, Cited, Form, Found, Incoming, Json, Listed, Listing, Progress, Query, Removed,
    Search, Served, Stored, Token, Watch,
};
pub use settings::{DEFAULT_PORT, Limits, Settings};
