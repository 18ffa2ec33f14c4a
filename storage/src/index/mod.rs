//! One index over many rows: the growing graph, the frozen segments, and the scan that is correct
//! without either.
//!
//! | file | responsibility |
//! |---|---|
//! | growing | the newest rows, shared with snapshots |
//! | run/ | the vectors of a large commit in a file |
//! | growing_graph | the graph of growing rows, built by `hnsw_rs` |
//! | graph/ | frozen neighbour lists and best-first search |
//! | copies | rows with equal vectors: one node of a graph |
//! | measure | recall of codes and of graph searches |
//! | segment/ | the immutable file |

pub(crate) mod copies;
pub(crate) mod effort;
pub(crate) mod graph;
pub(crate) mod growing;
pub(crate) mod growing_graph;
pub(crate) mod measure;
pub(crate) mod run;
pub(crate) mod segment;

/// Folder of segments and runs in a database.
pub(crate) const SEGMENTS: &str = "segments";
