//! One index over many rows: the growing graph, the frozen segments, and the scan that is right without either.
//!
//! | file | responsibility |
//! |---|---|
//! | growing | the newest rows, shared with snapshots |
//! | run/ | their vectors in a file, where many came at once |
//! | growing_graph | their graph, built by `hnsw_rs` |
//! | graph/ | frozen neighbour lists and best-first search |
//! | copies | rows with equal vectors: one node of a graph |
//! | measure | whether codes tell rows apart, and how widely a graph has to be searched |
//! | segment/ | the immutable file |

pub(crate) mod copies;
pub(crate) mod effort;
pub(crate) mod graph;
pub(crate) mod growing;
pub(crate) mod growing_graph;
pub(crate) mod measure;
pub(crate) mod run;
pub(crate) mod segment;

/// The folder of segments and runs in a database.
pub(crate) const SEGMENTS: &str = "segments";
