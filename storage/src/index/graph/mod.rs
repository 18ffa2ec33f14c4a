//! A frozen graph: flat neighbour lists, made once, searched many times.
//!
//! | file | responsibility |
//! |---|---|
//! | freeze | lists out of the growing graph, every row reachable |
//! | links | flat lists, owned or mapped |
//! | search | greedy descent, then best-first |
//! | visited | which rows a search has seen, reused between searches |

pub(crate) mod freeze;
pub(crate) mod links;
pub(crate) mod search;
pub(crate) mod visited;
