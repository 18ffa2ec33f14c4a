//! Common parts of files that are written once and then mapped.
//!
//! | file | responsibility |
//! |---|---|
//! | frame | magic, version and a header with a checksum |
//! | map | the file as bytes in memory |

pub(crate) mod frame;
pub(crate) mod map;
