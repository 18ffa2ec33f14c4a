//! Addresses of documents.

/// Beginning of the URI of a document.
pub(crate) const SCHEME: &str = "postil://doc/";

/// URI of a document.
pub(crate) fn uri(key: &str) -> String {
    use std::fmt::Write;
    let mut out = String::from(SCHEME);
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}
