//! A frozen graph: flat neighbour lists, made once, searched many times.
//!
//! | file | responsibility |
//! |---|---|
//! | build | the lists of many rows at once, on all cores, the same whatever their number |
//! | prune | which candidates become neighbours |
//! | even | about as many links to each row |
//! | reach | every row reachable from the entry |
//! | links | flat lists, owned or mapped |
//! | search | greedy descent, then best-first |
//! | candidate | a position that a search keeps |
//! | scratch | what a search writes to, reused between searches |

pub(crate) mod build;
pub(crate) mod candidate;
mod even;
pub(crate) mod links;
mod prune;
pub(crate) mod reach;
pub(crate) mod scratch;
pub(crate) mod search;
