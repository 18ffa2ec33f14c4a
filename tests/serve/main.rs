//! The server over real connections: what it answers, and whom it refuses.
//!
//! | file | responsibility |
//! |---|---|
//! | client | a server of a test, and a client of few lines |
//! | native | the API of the commands |
//! | openai | the shapes of OpenAI's API |
//! | attacks | requests that nobody honest sends |
//! | agents | MCP at `/mcp` and on standard input and output |
//! | command | the program: its token, its end, a crash |

#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

#[path = "../command/mod.rs"]
mod program;

mod agents;
mod attacks;
mod client;
mod command;
mod native;
mod openai;
