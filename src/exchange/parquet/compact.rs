//! Thrift's compact protocol, as far as needed to check the sizes that a file states before they
//! are allocated. (Apache Thrift, `thrift-compact-protocol.md`.)

/// Most levels of nested structures.
const DEPTH: u8 = 32;

/// A field of a structure, with the kind of value that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) id: i16,
    kind: u8,
}

/// Reader of the remaining bytes; any method returns `None` when they are not of this protocol.
#[derive(Clone, Debug)]
pub(super) struct Compact<'a>(&'a [u8]);

impl<'a> Compact<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn advance(&mut self, bytes: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    /// An unsigned number of 7 bits to the byte.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let zigzag = self.varint()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// The next field of a structure, after that with id `last`; `Some(None)` at its end.
    pub(super) fn field(&mut self, last: i16) -> Option<Option<Field>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        let id = match byte >> 4 {
            0 => i16::try_from(self.signed()?).ok()?,
            step => last.checked_add(i16::from(step))?,
        };
        Some(Some(Field { id, kind: byte & 0x0f }))
    }

    /// The value of a field, which must be an integer of 32 bits.
    pub(super) fn i32(&mut self, field: Field) -> Option<i32> {
        if field.kind != 5 {
            return None;
        }
        i32::try_from(self.signed()?).ok()
    }

    /// Number of structures in the list of a field; they follow.
    pub(super) fn structures(&mut self, field: Field) -> Option<u64> {
        if field.kind != 9 {
            return None;
        }
        let (count, kind) = self.list()?;
        (kind == 12).then_some(count)
    }

    fn list(&mut self) -> Option<(u64, u8)> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        Some((count, byte & 0x0f))
    }

    /// Skips the value of a field.
    pub(super) fn skip(&mut self, field: Field) -> Option<()> {
        // A boolean field is encoded in its kind; a boolean list element is a byte.
        if matches!(field.kind, 1 | 2) { Some(()) } else { self.value(field.kind, DEPTH) }
    }

    fn value(&mut self, kind: u8, depth: u8) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            1..=3 => self.advance(1),
            4..=6 => self.varint().map(drop),
            7 => self.advance(8),
            8 => {
                let bytes = self.varint()?;
                self.advance(bytes)
            }
            9 | 10 => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.value(kind, depth))
            }
            11 => {
                let count = self.varint()?;
                if count == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..count).try_for_each(|_| {
                    self.value(kinds >> 4, depth)?;
                    self.value(kinds & 0x0f, depth)
                })
            }
            12 => {
                let mut last = 0;
                while let Some(field) = self.field(last)? {
                    last = field.id;
                    if !matches!(field.kind, 1 | 2) {
                        self.value(field.kind, depth)?;
                    }
                }
                Some(())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_past_values_of_every_kind() {
        // By hand: 1: true, 2: i8, 3: i64 300, 4: double, 5: "ab", 6: [1, 2] of i32, 7: {1: "x"},
        // 8: {3: i32 1}, 29: i32 -3.
        let mut bytes = vec![0x11, 0x13, 7, 0x16, 0xd8, 0x04, 0x17];
        bytes.extend(1.5f64.to_le_bytes());
        bytes.extend([0x18, 2, b'a', b'b', 0x19, 0x25, 2, 4, 0x1b, 1, 0x58, 2, 1, b'x', 0x1c, 0x35, 2, 0]);
        bytes.extend([0x05, 58, 5, 0]);
        let mut compact = Compact::new(&bytes);
        let (mut last, mut ids) = (0, Vec::new());
        while let Some(field) = compact.field(last).unwrap() {
            (last, _) = (field.id, ids.push(field.id));
            match field.id {
                29 => assert_eq!(compact.i32(field), Some(-3)),
                _ => compact.skip(field).unwrap(),
            }
        }
        assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 8, 29]);
        assert!(compact.0.is_empty());
    }

    #[test]
    fn bytes_of_another_kind_end_in_nothing() {
        let deep = [0x1c].repeat(100);
        let long = [0x18, 0xff, 0xff, 0xff, 0xff, 0x0f];
        let endless = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        for bytes in [&deep[..], &long, &endless, &[0x1e], &[0x15], &[]] {
            let mut compact = Compact::new(bytes);
            let end = compact.field(0).flatten().and_then(|field| compact.skip(field));
            assert_eq!(end, None, "{bytes:?}");
        }
    }
}
