//! Damaged files: an error that names the file, or a report of `check`; never a panic, and never a
//! wrong answer.
//!
//! | file | responsibility |
//! |---|---|
//! | sample | a database and its right answers; the outcome of a damaged copy |
//! | damage | flips, cuts, zeros |
//! | segments | damaged and swapped segment files |
//! | documents | damaged files of sled, after a close and after a kill; LOCK and COMMITTED |
//!
//! `POSTIL_FUZZ_TIMES=20` is the long form.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod damage;
mod documents;
mod sample;
mod segments;
