//! A power cut, simulated: what the process asks of the operating system is recorded, and played onto a medium that
//! forgets what was not synced.
//!
//! | file | responsibility |
//! |---|---|
//! | calls | the C library's file functions in this process, recording |
//! | record | what was asked, in order |
//! | medium | what survives |
#![allow(dead_code, reason = "not every test that shares it uses all of it")]

pub(crate) mod calls;
pub(crate) mod medium;
pub(crate) mod record;
