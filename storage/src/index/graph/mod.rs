//! A frozen graph: flat neighbour lists, made once, searched many times.
//!
//! | file | responsibility |
//! |---|---|
//! | build | building the lists on all cores, with the same result for any number of them |
//! | prune | the choice of neighbours among candidates |
//! | even | evening out the links to each row |
//! | reach | making every row reachable from the entry |
//! | links | flat lists, owned or mapped |
//! | search | greedy descent, then best-first |
//! | candidate | a position that a search keeps |
//! | scratch | buffers of a search, reused between searches |

pub(crate) mod build;
pub(crate) mod candidate;
mod even;
pub(crate) mod links;
mod prune;
pub(crate) mod reach;
pub(crate) mod scratch;
pub(crate) mod search;
