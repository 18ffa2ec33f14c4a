//! One index over many rows: the growing graph, the frozen segments, and the scan that is right without either.
//!
//! | file | responsibility |
//! |---|---|
//! | growing | the newest rows, shared with snapshots |
//! | run/ | their vectors in a file, where many came at once |
//! | growing_graph | their graph, built by `hnsw_rs` |
//! | graph/ | frozen neighbour lists and best-first search |
//! | segment/ | the immutable file |

pub(crate) mod graph;
pub(crate) mod growing;
pub(crate) mod growing_graph;
pub(crate) mod run;
pub(crate) mod segment;
