use std::fs::File;
use std::io::{BufReader, Read};

use crate::Damage;
use crate::error::Failure;

/// Longest header that is accepted, in bytes; the largest published ones have some 20 MB, nearly
/// all vocabulary.
const MAX_HEADER_BYTES: u64 = 256 << 20;
/// Maximum number of list entries in one file; a published vocabulary has at most a million, in
/// four lists.
const MAX_ENTRIES: u64 = 16 << 20;

/// A value of the metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum GgufValue {
    /// A whole number of any width.
    Integer(i128),
    /// A floating-point number.
    Real(f64),
    /// True or false.
    Flag(bool),
    /// A string; bytes that are not UTF-8 are replaced.
    Text(String),
    /// A list of whole numbers or booleans.
    Integers(Vec<i64>),
    /// A list of floating-point numbers.
    Reals(Vec<f32>),
    /// A list of strings.
    Texts(Vec<String>),
}

/// Reads a header from front to back.
pub(super) struct Reader {
    file: BufReader<File>,
    file_bytes: u64,
    read_bytes: u64,
    entries: u64,
}

pub(super) fn unreadable(reason: impl Into<String>) -> Failure {
    Failure::Damage(Damage::Unreadable { reason: reason.into() })
}

impl Reader {
    pub(super) fn new(file: File) -> Result<Self, Failure> {
        let file_bytes = file.metadata()?.len();
        Ok(Self { file: BufReader::new(file), file_bytes, read_bytes: 0, entries: 0 })
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Number of bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.read_bytes
    }

    /// Fails unless `count` items of at least `least_bytes` each can follow.
    pub(super) fn expect(&self, count: u64, least_bytes: u64) -> Result<(), Failure> {
        let expected_bytes = self.read_bytes.saturating_add(count.saturating_mul(least_bytes));
        if expected_bytes > self.file_bytes {
            return Err(Damage::Truncated { got_bytes: self.file_bytes, expected_bytes }.into());
        }
        if expected_bytes > MAX_HEADER_BYTES {
            let (got_bytes, limit_bytes) = (expected_bytes, MAX_HEADER_BYTES);
            return Err(Damage::TooLarge { got_bytes, limit_bytes }.into());
        }
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        self.expect(1, N as u64)?;
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.read_bytes += N as u64;
        Ok(bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Failure> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Failure> {
        self.bytes().map(u64::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Result<String, Failure> {
        let length = self.u64()?;
        self.expect(length, 1)?;
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        self.read_bytes += length;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn flag(&mut self) -> Result<bool, Failure> {
        match self.bytes::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(unreadable(format!("a switch is {other}"))),
        }
    }

    /// Reads a number of type `kind`; `None` when that is not a number type.
    fn integer(&mut self, kind: u32) -> Option<Result<i128, Failure>> {
        Some(match kind {
            0 => self.bytes().map(|b| u8::from_le_bytes(b).into()),
            1 => self.bytes().map(|b| i8::from_le_bytes(b).into()),
            2 => self.bytes().map(|b| u16::from_le_bytes(b).into()),
            3 => self.bytes().map(|b| i16::from_le_bytes(b).into()),
            4 => self.bytes().map(|b| u32::from_le_bytes(b).into()),
            5 => self.bytes().map(|b| i32::from_le_bytes(b).into()),
            10 => self.bytes().map(|b| u64::from_le_bytes(b).into()),
            11 => self.bytes().map(|b| i64::from_le_bytes(b).into()),
            _ => return None,
        })
    }

    fn real(&mut self, kind: u32) -> Result<f64, Failure> {
        match kind {
            6 => self.bytes().map(|b| f32::from_le_bytes(b).into()),
            12 => self.bytes().map(f64::from_le_bytes),
            _ => Err(unreadable(format!("a value has the unknown type {kind}"))),
        }
    }

    /// Reads a type and a value of that type. Lists of lists are refused: no published key has one,
    /// and they could nest without end.
    pub(super) fn value(&mut self) -> Result<GgufValue, Failure> {
        let kind = self.u32()?;
        if let Some(integer) = self.integer(kind) {
            return integer.map(GgufValue::Integer);
        }
        match kind {
            7 => self.flag().map(GgufValue::Flag),
            8 => self.text().map(GgufValue::Text),
            9 => self.list(),
            _ => self.real(kind).map(GgufValue::Real),
        }
    }

    fn list(&mut self) -> Result<GgufValue, Failure> {
        let (kind, length) = (self.u32()?, self.u64()?);
        self.entries = self.entries.saturating_add(length);
        if self.entries > MAX_ENTRIES {
            return Err(unreadable(format!("its lists have more than {MAX_ENTRIES} entries")));
        }
        let least_bytes = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => return Err(unreadable("a list of lists")),
            _ => return Err(unreadable(format!("a list has the unknown type {kind}"))),
        };
        self.expect(length, least_bytes)?;
        match kind {
            8 => (0..length).map(|_| self.text()).collect::<Result<_, _>>().map(GgufValue::Texts),
            6 | 12 => {
                let reals = (0..length).map(|_| self.real(kind).map(|v| v as f32));
                reals.collect::<Result<_, _>>().map(GgufValue::Reals)
            }
            7 => {
                let flags = (0..length).map(|_| self.flag().map(i64::from));
                flags.collect::<Result<_, _>>().map(GgufValue::Integers)
            }
            _ => {
                let integers = (0..length).map(|_| {
                    let value = self.integer(kind).expect("all other types were handled")?;
                    i64::try_from(value).map_err(|_| unreadable("a number in a list is beyond 2^63"))
                });
                integers.collect::<Result<_, _>>().map(GgufValue::Integers)
            }
        }
    }
}
