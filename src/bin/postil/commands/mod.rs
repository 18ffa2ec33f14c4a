//! One command, one file.

pub(crate) mod ask;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod ingest;
pub(crate) mod model;
pub(crate) mod publish;
pub(crate) mod rebuild;
pub(crate) mod restore;
pub(crate) mod rm;
pub(crate) mod search;
pub(crate) mod stat;
pub(crate) mod warm;
