use super::super::write::GROUP_BYTES;
use super::*;
use postil_hostile::memory::measured;
use proptest::prelude::*;

/// Equal in every bit: `==` takes -0.0 for 0.0.
fn bits(documents: &[DocumentWrite]) -> Vec<(&DocumentWrite, Vec<u32>)> {
    let vectors = |document: &DocumentWrite| -> Vec<u32> {
        document.passages.iter().flat_map(|passage| passage.vector.iter().map(|x| x.to_bits())).collect()
    };
    documents.iter().map(|document| (document, vectors(document))).collect()
}

fn read_whole(path: &Path) -> Vec<DocumentWrite> {
    read(path).unwrap().into_iter().collect::<Result<_, _>>().unwrap()
}

#[test]
fn documents_of_every_kind_come_back_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, documents(), true);
    assert_eq!(bits(&read_whole(&path)), bits(&documents()));
    let theirs = super::super::description(&path).unwrap();
    assert_eq!(
        (theirs.profile, theirs.counts, theirs.vectors),
        (Profile::new(4, Metric::Dot), Some([4, 7]), true)
    );
    let again = folder.path().join("b.parquet");
    write(&again, documents(), true);
    assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap());
}

#[test]
fn without_vectors_the_documents_come_back_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, documents(), false);
    let mut bare = documents();
    bare.iter_mut().flat_map(|document| &mut document.passages).for_each(|passage| passage.vector.clear());
    assert_eq!(read_whole(&path), bare);
}

#[test]
fn an_empty_database_is_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, Vec::new(), true);
    assert_eq!(read_whole(&path), Vec::new());
}

/// Documents that take so many row groups.
fn groups(count: usize) -> impl Iterator<Item = DocumentWrite> {
    let text_bytes = 1 << 20;
    (0..count * GROUP_BYTES / (2 * text_bytes)).map(move |at| {
        // Of no two documents the same, so that it does not compress to nothing.
        let text: String = (0..text_bytes as u32 / 8)
            .map(|i| format!("{:08x}", i.wrapping_mul(2_654_435_761 + at as u32)))
            .collect();
        let vector = vec![at as f32; 4];
        let range = 0..text.len() as u64;
        let passages = vec![PassageWrite {
            range: range.clone(),
            source_range: range,
            lead: 0..0,
            places: Vec::new(),
            heading: String::new(),
            vector,
        }];
        DocumentWrite {
            text,
            passages,
            ..DocumentWrite::row(format!("{at:04}"), Vec::new(), Metadata::new())
        }
    })
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let measure = |count: usize| {
        let path = folder.path().join(format!("{count}.parquet"));
        let ((), written) = measured(|| {
            let mut writer = Writer::create(&path, true).unwrap();
            groups(count).for_each(|document| writer.push(document).unwrap());
            writer.finish(&description(true)).unwrap();
        });
        let (documents, read) = measured(|| {
            let mut reader = Reader::open(&path, MAX_BYTES).unwrap();
            std::iter::from_fn(|| reader.next().unwrap())
                .map(|entry| entry.document.unwrap().text.len())
                .sum::<usize>()
        });
        assert_eq!(documents, count * GROUP_BYTES / 2);
        (written, read)
    };
    let ((two_written, two_read), (six_written, six_read)) = (measure(2), measure(6));
    assert!(six_written < 3 * GROUP_BYTES && six_written < two_written + two_written / 8, "{six_written}");
    assert!(six_read < 4 * GROUP_BYTES && six_read < two_read + two_read / 8, "{six_read}");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,20}", Just(String::new()), Just("\0\u{feff}\r\n".to_owned())]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::String),
        any::<i64>().prop_map(Value::Integer),
        (1u64 << 63..).prop_map(Value::Unsigned),
        "[1-9][0-9]{20,30}".prop_map(|text| Value::number(&text).unwrap()),
        any::<f64>().prop_filter("metadata is finite", |x| x.is_finite()).prop_map(Value::Float),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::btree_map(text(), inner, 0..3).prop_map(Value::Object),
        ]
    })
}

prop_compose! {
    fn passage()(
        bits in prop::array::uniform4(any::<u32>()),
        title in text(),
        at in any::<u32>(),
    ) -> PassageWrite {
        let at = u64::from(at);
        let vector = bits.map(f32::from_bits).to_vec();
        PassageWrite { range: 0..0, source_range: at..at + 1, lead: 0..0, places: Vec::new(), heading: title, vector }
    }
}

prop_compose! {
    fn any_document()(
        text in text(), title in text(), hash in any::<[u8; 32]>(),
        map in prop::collection::vec(any::<u8>(), 0..9),
        metadata in prop::collection::btree_map(text(), value(), 0..4),
        mut passages in prop::collection::vec(passage(), 0..5),
    ) -> DocumentWrite {
        passages.iter_mut().for_each(|passage| passage.range = 0..text.len() as u64);
        DocumentWrite {
            key: String::new(), title, text, content_hash: hash, source_map: map, passages,
            metadata: metadata.into_iter().collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_documents_come_back(mut documents in prop::collection::vec(any_document(), 0..6)) {
        // The order of keys is that of the file, and not looked at here.
        documents.iter_mut().enumerate().for_each(|(at, document)| document.key = at.to_string());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        write(&path, documents.clone(), true);
        let mut read = read_whole(&path);
        let vectors = |documents: &[DocumentWrite]| -> Vec<Vec<u32>> {
            bits(documents).into_iter().map(|(_, vectors)| vectors).collect()
        };
        prop_assert_eq!(vectors(&read), vectors(&documents));
        // NaN is not equal to itself.
        for documents in [&mut read, &mut documents] {
            let passages = documents.iter_mut().flat_map(|document| &mut document.passages);
            passages.for_each(|passage| passage.vector.clear());
        }
        prop_assert_eq!(read, documents);
    }
}
