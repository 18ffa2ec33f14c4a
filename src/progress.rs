/// How far an ingest has come. Counts only grow within one ingest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that will be read; `None` when that is not known, as on a stream.
    pub total_bytes: Option<u64>,
    /// Bytes read.
    pub read_bytes: u64,
    /// Documents read, unchanged ones included.
    pub documents_read: u64,
    /// Documents found unchanged, by content hash.
    pub documents_unchanged: u64,
    /// Documents that are durably in the database.
    pub documents_committed: u64,
    /// Bytes of text embedded.
    pub embedded_bytes: u64,
    /// Passages embedded.
    pub passages_embedded: u64,
    /// Passages that are durably in the database.
    pub passages_committed: u64,
}
