//! One test for each invariant of FORMAT.md: a violation is found and named, and nothing else is.

mod files;
mod records;
mod rows;
mod segments;
