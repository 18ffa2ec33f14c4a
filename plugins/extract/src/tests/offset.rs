use proptest::prelude::*;

use crate::{Kind, OffsetMap, extract};

#[test]
fn the_map_of_a_text_that_is_its_own_takes_few_bytes() {
    let map = extract(&[b'a'; 1 << 20], Kind::Plain).unwrap().map;
    let bytes = map.to_bytes();
    assert!(bytes.len() <= 6, "{bytes:?}");
    assert_eq!(OffsetMap::from_bytes(&bytes).unwrap(), map);
}

#[test]
fn a_range_past_the_end_is_cut() {
    let map = extract(b"abc", Kind::Plain).unwrap().map;
    assert_eq!(map.source_range(1..9), 1..3);
    assert_eq!(map.source_range(9..12), 3..3);
    assert_eq!(OffsetMap::default().source_range(0..1), 0..0);
}

#[test]
fn damage_is_an_error() {
    let bytes = extract(b"<p>a &amp; b", Kind::Html).unwrap().map.to_bytes();
    for len in 0..bytes.len() {
        assert!(OffsetMap::from_bytes(&bytes[..len]).is_err());
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(OffsetMap::from_bytes(&longer).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_a_map_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        text in 0..500_usize,
        len in 0..500_usize,
    ) {
        if let Ok(map) = OffsetMap::from_bytes(&bytes) {
            let range = map.source_range(text..text + len);
            prop_assert!(range.start <= range.end);
            prop_assert_eq!(OffsetMap::from_bytes(&map.to_bytes()), Ok(map));
        }
    }
}
