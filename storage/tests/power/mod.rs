//! A power cut, simulated: the process's system calls are recorded, and replayed onto a medium that
//! loses unsynced writes.
//!
//! | file | responsibility |
//! |---|---|
//! | calls | the C library's file functions in this process, recording |
//! | record | the recorded calls, in order |
//! | medium | the content that survives |
#![allow(dead_code, reason = "not every test that shares it uses all of it")]

pub(crate) mod calls;
pub(crate) mod medium;
pub(crate) mod record;
