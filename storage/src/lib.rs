//! Documents, vectors and their index on disk.
