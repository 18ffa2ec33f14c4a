//! One test for each invariant of FORMAT.md: what breaks it, and nothing else, is found and named.

mod files;
mod records;
mod rows;
mod segments;
