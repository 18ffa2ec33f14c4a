use postil_storage::*;
use std::time::Instant;
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    match exponent { 0 => sign * fraction * 2f32.powi(-24), _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15) }
}
fn vectors(p: &str) -> Vec<Vec<f32>> {
    let b = std::fs::read(p).unwrap(); let h = 10 + usize::from(u16::from_le_bytes([b[8], b[9]]));
    b[h..].as_chunks::<2>().0.iter().map(|&b| half(u16::from_le_bytes(b))).collect::<Vec<_>>().chunks_exact(384).map(<[f32]>::to_vec).collect()
}
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let base = vectors(&format!("{dir}/base.f16.npy")); let q = vectors(&format!("{dir}/query.f16.npy"));
    let b = std::fs::read(format!("{dir}/gt.i32.npy")).unwrap(); let h = 10 + usize::from(u16::from_le_bytes([b[8], b[9]]));
    let gt: Vec<i32> = b[h..].as_chunks::<4>().0.iter().map(|&b| i32::from_le_bytes(b)).collect(); let w = gt.len() / q.len();
    let t = tempfile::tempdir().unwrap(); let path = t.path().join("x.postil");
    let m: usize = std::env::var("M").map_or(16, |x| x.parse().unwrap());
    let store = Store::create(&path, Profile::new(384, Metric::Cosine), StoreOptions { m, seal_rows: 32768, ..Default::default() }).unwrap();
    let s = Instant::now();
    for (n, rows) in base.chunks(4096).enumerate() { let mut batch = Batch::new(); for (i, v) in rows.iter().enumerate() { batch.upsert(DocumentWrite::row((n * 4096 + i).to_string(), v.clone(), Metadata::new())); } store.commit(batch).unwrap(); }
    let c = s.elapsed().as_secs_f64();
    store.compact().unwrap();
    println!("commit {c:.1} total {:.1}", s.elapsed().as_secs_f64());
    for over in [3, 5] { for ef in [32, 40, 48, 56, 64, 80, 96] {
        let mut best = f64::MAX; let mut found = 0;
        for _ in 0..3 { found = 0; let s = Instant::now();
            for (i, q) in q.iter().enumerate() { let hits = store.search(q, &SearchOptions::new(10).ef(ef).oversampling(over)).unwrap();
                found += hits.iter().filter(|h| gt[i * w..i * w + 10].contains(&(h.row as i32))).count(); }
            best = best.min(s.elapsed().as_secs_f64()); }
        println!("over {over} ef {ef} recall {:.4} qps {:.0}", found as f64 / (10 * q.len()) as f64, q.len() as f64 / best);
    } }
}
