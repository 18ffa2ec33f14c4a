//! Files that are written once and mapped: what those of all kinds have in common.
//!
//! | file | responsibility |
//! |---|---|
//! | frame | magic, version and a header with a checksum |
//! | map | the file as bytes in memory |

pub(crate) mod frame;
pub(crate) mod map;
