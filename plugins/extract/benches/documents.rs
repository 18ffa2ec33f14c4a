//! Extraction measured against other readers: for each file the F1 of its words, the share of words on
//! their right page, the distance of the order of words, and the time.
//!
//!     cargo bench -p postil-extract --features documents --bench documents -- FOLDER [part of a name]
//!
//! FOLDER has files, and beside them a folder `oracle` with `NAME.txt`, or `NAME.txt.gz`, and for PDF
//! `NAME.json` with `words_by_page`. A page of a text ends with a form feed.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints, and stops where it cannot go on"
)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use postil_contract::Spot;
use postil_extract::{ExtractOptions, Extracted, Kind, extract_with};
use unicode_normalization::UnicodeNormalization;

/// Words of two texts whose order is compared: the time grows with the square.
const ORDERED_WORDS: usize = 6000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        println!("skipped: name a folder of documents");
        return;
    };
    let part = arguments.next().unwrap_or_default();
    let dump = std::env::var_os("POSTIL_DUMP").map(PathBuf::from);
    let passwords = passwords(&folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut scores, mut pages, mut distances) = (Vec::new(), Vec::new(), Vec::new());
    let (mut seconds, mut page_count) = (0.0, 0);
    println!("{:44} {:>6} {:>6} {:>6} {:>7} {:>6}", "file", "F1", "pages", "order", "words", "ms");
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(kind) = Kind::of(&path).filter(|_| name.contains(&part)) else { continue };
        let bytes = std::fs::read(&path).unwrap();
        let mut options = ExtractOptions::default();
        if let Some(password) = passwords.get(&name) {
            options = options.password(password.clone());
        }
        let start = Instant::now();
        let extracted = extract_with(&bytes, kind, &options);
        let took = start.elapsed().as_secs_f64();
        let extracted = match extracted {
            Ok(extracted) => extracted,
            Err(error) => {
                println!("{name:44} {error} ({:.0} ms)", took * 1000.0);
                continue;
            }
        };
        if let Some(dump) = &dump {
            std::fs::write(dump.join(format!("{name}.txt")), &extracted.text).unwrap();
        }
        let (got, wanted) = (words(&extracted.text), oracle(&folder, &name).map(|text| words(&text)));
        let Some(wanted) = wanted else {
            println!("{name:44} no oracle; {} words, {:.0} ms", got.len(), took * 1000.0);
            continue;
        };
        let score = f1(&got, &wanted);
        let order = distance(&got, &wanted);
        let by_page = pages_of(&folder, &name);
        let right = by_page.as_ref().map(|wanted| right_pages(&extracted, wanted));
        seconds += took;
        page_count += by_page.as_ref().map_or(1, Vec::len);
        println!(
            "{name:44} {score:6.3} {:>6} {order:6.3} {:>7} {:6.0} {}",
            right.map_or("-".to_owned(), |right| format!("{right:.3}")),
            wanted.len(),
            took * 1000.0,
            if extracted.unread.is_empty() {
                String::new()
            } else {
                format!("unread {}", extracted.unread.len())
            }
        );
        if wanted.len() >= 20 {
            scores.push(score);
            distances.push(order);
            pages.extend(right);
        }
    }
    println!("files of 20 words or more: {}", scores.len());
    println!("F1: median {:.4}, tenth percentile {:.4}", share(&mut scores, 0.5), share(&mut scores, 0.1));
    println!(
        "order: median {:.4}, ninth decile {:.4}",
        share(&mut distances, 0.5),
        share(&mut distances, 0.9)
    );
    println!(
        "words on their page: median {:.4}, tenth percentile {:.4}",
        share(&mut pages, 0.5),
        share(&mut pages, 0.1)
    );
    println!("{page_count} pages in {seconds:.2} s: {:.0} pages/s", page_count as f64 / seconds.max(1e-9));
}

fn share(numbers: &mut [f64], at: f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(((numbers.len().max(1) - 1) as f64 * at) as usize).copied().unwrap_or(f64::NAN)
}

/// Passwords of the index beside the files.
fn passwords(folder: &Path) -> HashMap<String, String> {
    let Ok(index) = std::fs::read_to_string(folder.join("INDEX.tsv")) else { return HashMap::new() };
    let mut lines = index.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let Some(heads) = lines.next() else { return HashMap::new() };
    let Some(at) = heads.iter().position(|head| *head == "password") else { return HashMap::new() };
    let of = |line: Vec<&str>| Some((line.first()?.to_string(), line.get(at)?.to_string()));
    lines.filter_map(of).filter(|(_, password)| !password.is_empty() && password != "-").collect()
}

fn oracle(folder: &Path, name: &str) -> Option<String> {
    let plain = folder.join("oracle").join(format!("{name}.txt"));
    let stem = folder.join("oracle").join(format!("{}.txt", name.rsplit_once('.')?.0));
    [plain, stem].into_iter().find_map(|path| {
        std::fs::read_to_string(&path).ok().or_else(|| {
            let packed = path.with_extension("txt.gz");
            packed.exists().then_some(())?;
            let unpacked = Command::new("gzip").arg("-dc").arg(packed).output().ok()?;
            Some(String::from_utf8_lossy(&unpacked.stdout).into_owned())
        })
    })
}

fn pages_of(folder: &Path, name: &str) -> Option<Vec<Vec<String>>> {
    let names = [format!("{name}.json"), format!("{}.json", name.rsplit_once('.')?.0)];
    let path = names.iter().map(|name| folder.join("oracle").join(name)).find(|path| path.exists())?;
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let pages = index.get("words_by_page")?.as_array()?;
    let page = |page: &serde_json::Value| {
        let texts = page.as_array().into_iter().flatten();
        let texts = texts.filter_map(|word| word.as_str().or_else(|| word.get(0)?.as_str()));
        texts.flat_map(words).collect()
    };
    Some(pages.iter().map(page).collect())
}

/// The words of a text as they are compared.
fn words(text: &str) -> Vec<String> {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).filter(|c| *c != '\u{ad}').collect();
    folded
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn counts(words: &[String]) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    words.iter().for_each(|word| *counts.entry(word.as_str()).or_default() += 1);
    counts
}

fn shared(a: &[String], b: &[String]) -> usize {
    let (a, b) = (counts(a), counts(b));
    a.iter().map(|(word, count)| (*count).min(b.get(word).copied().unwrap_or(0))).sum()
}

fn f1(got: &[String], wanted: &[String]) -> f64 {
    match got.len() + wanted.len() {
        0 => 1.0,
        all => 2.0 * shared(got, wanted) as f64 / all as f64,
    }
}

/// Words on the page they are on, of the words that both texts have.
fn right_pages(extracted: &Extracted, wanted: &[Vec<String>]) -> f64 {
    let mut pages: Vec<Vec<String>> = vec![Vec::new(); wanted.len()];
    let spots = extracted.places.spots();
    for (index, (start, spot)) in spots.iter().enumerate() {
        let end = spots.get(index + 1).map_or(extracted.text.len(), |(end, _)| *end);
        if let Spot::Line { page, .. } = spot
            && let Some(page) = pages.get_mut(*page as usize - 1)
        {
            page.extend(words(&extracted.text[*start..end]));
        }
    }
    let right: usize = pages.iter().zip(wanted).map(|(got, wanted)| shared(got, wanted)).sum();
    let all = shared(&pages.concat(), &wanted.concat());
    right as f64 / all.max(1) as f64
}

/// Edit distance of two sequences of words, over the longer one.
fn distance(a: &[String], b: &[String]) -> f64 {
    let (a, b) = (&a[..a.len().min(ORDERED_WORDS)], &b[..b.len().min(ORDERED_WORDS)]);
    let mut ids = HashMap::new();
    let mut numbered = |words: &[String]| -> Vec<usize> {
        words
            .iter()
            .map(|word| {
                let next = ids.len();
                *ids.entry(word.clone()).or_insert(next)
            })
            .collect()
    };
    let (a, b) = (numbered(a), numbered(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, word) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let kept = corner + usize::from(word != other);
            corner = row[j + 1];
            row[j + 1] = kept.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()] as f64 / a.len().max(b.len()).max(1) as f64
}
