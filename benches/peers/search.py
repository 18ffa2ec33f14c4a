"""Vector search beside its peers: the same vectors, one run, one pinned core, rounds interleaved, medians.

    ./benches/peers/search.sh [VECTORS] [OUT] [NAME,NAME,...] [EF,EF,...]

The shell script makes the virtual environment. VECTORS is a folder as `cargo bench --bench search` takes;
OUT gets results.jsonl and a plot, plot.png, of queries a second against recall@10. Every index is built with
two threads and searched with one.

In memory, rows only: hnswlib (with 16 and 32 links), FAISS (HNSW, HNSW over eight bits), USearch, VSAG, ScaNN, hnsw_rs.
On disk: LanceDB, Chroma, zvec (as it is, INT8, RaBitQ), Postil; zvec and Postil rows only as well. `from_disk` in a result
says that queries a second include keys and texts, read from the database on disk.

Questions are another distribution than the rows: VECTORS may be a folder whose base.f16.npy is a link to that of another.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROUNDS = 3
K = 10
M = 16
EF_CONSTRUCTION = 200
THREADS = 2
ENOUGH = 0.99
VSAG_MOST = 1000  # it refuses a greater ef
EFS = [32, 48, 64, 96, 128, 192, 256, 400, 600, 800, 1200]
RECALLS = [0.8, 0.9, 0.95, 0.98, 0.985, 0.99, 0.995, 0.999]
ROOT = Path(__file__).resolve().parents[2]


def text(row):
    return f"{row}: " + "the text that a reader would be shown for this row " * 2


def resident():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024


def bytes_under(folder):
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


class Peer:
    """`settings` are tried in turn; `search(setting)` gives the rows found for all queries."""

    settings = EFS

    def __init__(self, base, queries, scratch):
        self.base, self.queries, self.scratch = base, queries, scratch


class Hnswlib(Peer):
    links = M

    def build(self):
        import hnswlib

        self.index = hnswlib.Index("ip", self.base.shape[1])
        self.index.init_index(len(self.base), M=self.links, ef_construction=EF_CONSTRUCTION)
        self.index.add_items(self.base, num_threads=THREADS)
        self.index.set_num_threads(1)

    def search(self, ef):
        self.index.set_ef(ef)
        return [self.index.knn_query(query, K, num_threads=1)[0][0] for query in self.queries]


class Hnswlib32(Hnswlib):
    links = 32


class FaissHnsw(Peer):
    def make(self, faiss):
        return faiss.IndexHNSWFlat(self.base.shape[1], M, faiss.METRIC_INNER_PRODUCT)

    def build(self):
        import faiss

        faiss.omp_set_num_threads(THREADS)
        self.index = self.make(faiss)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.train(self.base)
        self.index.add(self.base)
        faiss.omp_set_num_threads(1)

    def search(self, ef):
        self.index.hnsw.efSearch = ef
        return [self.index.search(query[None], K)[1][0] for query in self.queries]


class FaissHnswSq8(FaissHnsw):
    def make(self, faiss):
        kind = faiss.ScalarQuantizer.QT_8bit
        return faiss.IndexHNSWSQ(self.base.shape[1], kind, M, faiss.METRIC_INNER_PRODUCT)


class Usearch(Peer):
    def build(self):
        from usearch.index import Index

        self.index = Index(ndim=self.base.shape[1], metric="ip", dtype="f32", connectivity=M,
                           expansion_add=EF_CONSTRUCTION)
        self.index.add(np.arange(len(self.base)), self.base, threads=THREADS)

    def search(self, ef):
        self.index.expansion_search = ef
        return [self.index.search(query, K, threads=1).keys for query in self.queries]


class Vsag(Peer):
    def build(self):
        import pyvsag

        self.index = pyvsag.Index("hgraph", json.dumps({
            "dtype": "float32", "metric_type": "ip", "dim": self.base.shape[1],
            "index_param": {"base_quantization_type": "sq8", "use_reorder": True, "precise_quantization_type": "fp32",
                            "max_degree": 2 * M, "ef_construction": EF_CONSTRUCTION, "build_thread_count": THREADS}}))
        self.index.build(vectors=self.base, ids=np.arange(len(self.base)), num_elements=len(self.base),
                         dim=self.base.shape[1])

    def search(self, ef):
        parameters = json.dumps({"hgraph": {"ef_search": ef}})
        return [self.index.knn_search(vector=query, k=K, parameters=parameters)[0] for query in self.queries]


class Scann(Peer):
    settings = [10, 15, 20, 30, 40, 60, 90, 130]

    def build(self):
        import scann

        leaves = int(len(self.base) ** 0.5)
        self.index = (
            scann.scann_ops_pybind.builder(self.base, K, "dot_product")
            .set_n_training_threads(THREADS)
            .tree(leaves, leaves // 10, training_sample_size=min(len(self.base), 250_000))
            .score_ah(2, anisotropic_quantization_threshold=0.2)
            .reorder(100)
            .build()
        )

    def search(self, leaves):
        return [self.index.search(query, K, pre_reorder_num_neighbors=100, leaves_to_search=leaves)[0]
                for query in self.queries]


class LanceDb(Peer):
    settings = [64, 128, 256]
    on_disk = True

    def build(self):
        import lancedb
        import pyarrow as pa

        vectors = pa.FixedSizeListArray.from_arrays(pa.array(self.base.reshape(-1)), self.base.shape[1])
        rows = range(len(self.base))
        table = pa.table({"key": [str(row) for row in rows], "text": [text(row) for row in rows], "vector": vectors})
        self.folder = self.scratch / "lancedb"
        self.table = lancedb.connect(self.folder).create_table("rows", table)
        self.table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=1, m=M,
                                ef_construction=EF_CONSTRUCTION)

    def search(self, ef):
        found = []
        for query in self.queries:
            hits = self.table.search(query).ef(ef).refine_factor(3).limit(K).select(["key", "text", "_distance"])
            found.append([int(hit["key"]) for hit in hits.to_list()])
        return found


class Chroma(Peer):
    settings = [64, 128]
    on_disk = True

    def build(self):
        import chromadb

        self.folder = self.scratch / "chroma"
        client = chromadb.PersistentClient(str(self.folder))
        self.collection = client.create_collection("rows", embedding_function=None, configuration={"hnsw": {
            "space": "ip", "max_neighbors": M, "ef_construction": EF_CONSTRUCTION, "num_threads": THREADS}})
        for begin in range(0, len(self.base), 5000):
            rows = range(begin, min(begin + 5000, len(self.base)))
            self.collection.add(ids=[str(row) for row in rows], documents=[text(row) for row in rows],
                                embeddings=self.base[begin : begin + 5000])

    def search(self, ef):
        self.collection.modify(configuration={"hnsw": {"ef_search": ef, "num_threads": 1}})
        found = []
        for query in self.queries:
            hits = self.collection.query(query_embeddings=query[None], n_results=K, include=["documents", "distances"])
            found.append([int(key) for key in hits["ids"][0]])
        return found


class Zvec(Peer):
    """`scale_factor` says how many times k candidates of quantized vectors are ranked by the vectors as they are."""

    settings = [(ef, factor) for ef in EFS for factor in (3, 10)]
    on_disk = True
    quantize = "INT8"
    with_texts = True

    def build(self):
        import zvec

        kind = getattr(zvec.QuantizeType, self.quantize)
        index = zvec.HnswIndexParam(metric_type=zvec.MetricType.IP, m=M, ef_construction=EF_CONSTRUCTION,
                                    quantize_type=kind)
        if self.quantize == "RABITQ":
            index = zvec.HnswRabitqIndexParam(metric_type=zvec.MetricType.IP, m=M, ef_construction=EF_CONSTRUCTION)
        self.folder = self.scratch / f"zvec-{self.quantize}-{self.with_texts}"
        schema = zvec.CollectionSchema("rows", [zvec.FieldSchema("text", zvec.DataType.STRING)], [
            zvec.VectorSchema("vector", zvec.DataType.VECTOR_FP32, self.base.shape[1], index)])
        self.collection = zvec.create_and_open(str(self.folder), schema)
        for begin in range(0, len(self.base), 1000):
            rows = range(begin, min(begin + 1000, len(self.base)))
            self.collection.insert([zvec.Doc(str(row), vectors={"vector": self.base[row].tolist()},
                                             fields={"text": text(row)}) for row in rows])
        self.collection.optimize(zvec.OptimizeOption(concurrency=THREADS))
        self.collection.flush()

    def search(self, setting):
        import zvec

        ef, factor = setting
        if self.quantize == "RABITQ":
            parameters = zvec.HnswRabitqQueryParam(ef=ef)
        else:
            refine = self.quantize != "UNDEFINED"
            parameters = zvec.HnswQueryParam(ef=ef, is_using_refiner=refine, scale_factor=factor)
        fields = ["text"] if self.with_texts else []
        found = []
        for query in self.queries:
            hits = self.collection.query(zvec.Query("vector", vector=query, param=parameters), topk=K,
                                         output_fields=fields)
            found.append([int(hit.id) for hit in hits])
        return found


class ZvecRows(Zvec):
    with_texts = False
    on_disk = False


class ZvecF32(Zvec):
    settings = [(ef, 0) for ef in EFS]
    quantize = "UNDEFINED"


class ZvecRabitq(ZvecF32):
    quantize = "RABITQ"


PEERS = {"hnswlib": Hnswlib, "hnswlib M 32": Hnswlib32, "zvec INT8": Zvec, "zvec INT8 rows": ZvecRows,
         "zvec f32": ZvecF32, "zvec RaBitQ": ZvecRabitq, "FAISS HNSW": FaissHnsw, "FAISS HNSW-SQ8": FaissHnswSq8, "USearch": Usearch,
         "VSAG hgraph": Vsag, "ScaNN": Scann, "LanceDB": LanceDb, "Chroma": Chroma}


def pin(cores):
    os.sched_setaffinity(0, cores)


def measured(peer, truth):
    out = []
    for setting in peer.settings:
        start = time.perf_counter()
        found = peer.search(setting)
        elapsed = time.perf_counter() - start
        hits = sum(len(set(map(int, rows)) & gold) for rows, gold in zip(found, truth))
        out.append({"setting": setting, "recall": hits / (len(truth) * K), "qps": len(truth) / elapsed})
    return out


def bench(name, arguments, cores):
    """The JSON lines of one of our own benchmarks."""
    command = ["cargo", "bench", "--quiet", "--bench", name, "--", *map(str, arguments)]
    out = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
                         preexec_fn=lambda: pin(cores)).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def main():
    folder = Path(sys.argv[1]).resolve()
    out = Path(sys.argv[2]).resolve()
    chosen = sys.argv[3].split(",") if len(sys.argv) > 3 else [*PEERS, "hnsw_rs"]
    if len(sys.argv) > 4:
        EFS[:] = map(int, sys.argv[4].split(","))
        Zvec.settings = [(ef, factor) for ef in EFS for factor in (3, 10)]
        ZvecF32.settings = [(ef, 0) for ef in EFS]
    Vsag.settings = [ef for ef in EFS if ef <= VSAG_MOST]
    scratch = out / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    base = np.load(folder / "base.f16.npy").astype(np.float32)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    queries = np.load(folder / "query.f16.npy").astype(np.float32)
    truth = [set(row[:K].tolist()) for row in np.load(folder / "gt.i32.npy")]
    cores = sorted(os.sched_getaffinity(0))
    one, all_cores = {cores[0]}, set(cores)

    build = ["cargo", "bench", "--quiet", "--no-run", "--bench", "search", "--bench", "hnsw_rs"]
    subprocess.run(build, cwd=ROOT, check=True)
    recalls = ",".join(map(str, RECALLS))
    ours = ["--vectors", folder, "--database", scratch / "postil.postil", "--recall", recalls]
    facts = {"Postil": bench("search", ours, all_cores)[0]}
    facts["Postil"] = {key: facts["Postil"][key] for key in ("build_s", "open_ms", "disk_bytes", "resident_bytes")}
    rounds = {}
    peers = {}
    for name in chosen:
        if name not in PEERS:
            continue
        pin(all_cores)
        before, start = resident(), time.perf_counter()
        peer = PEERS[name](base, queries, scratch)
        peer.build()
        facts[name] = {"build_s": time.perf_counter() - start, "resident_bytes": resident() - before}
        if hasattr(peer, "folder"):
            facts[name]["disk_bytes"] = bytes_under(peer.folder)
        peers[name], rounds[name] = peer, []
        print(name, facts[name], file=sys.stderr, flush=True)
    for _ in range(ROUNDS):
        lines = bench("search", ours, one)
        for name, key in (("Postil", "qps"), ("Postil, rows only", "rows_qps")):
            curve = [{"setting": line["effort"], "recall": line["recall"], "qps": line[key]} for line in lines]
            rounds.setdefault(name, []).append(curve)
        facts["Postil"]["open_ms"] = lines[0]["open_ms"]
        pin(one)
        for name, peer in peers.items():
            rounds[name].append(measured(peer, truth))
        pin(all_cores)
    if "hnsw_rs" in chosen:
        lines = bench("hnsw_rs", ["--vectors", folder], all_cores)
        facts["hnsw_rs"] = {"build_s": lines[0]["build_s"]}
        rounds["hnsw_rs"] = [[{"setting": line["ef"], "recall": line["recall"], "qps": line["qps"]} for line in lines]]

    results = []
    for name, measured_rounds in rounds.items():
        curve = []
        for at, point in enumerate(measured_rounds[0]):
            qps = statistics.median(round_[at]["qps"] for round_ in measured_rounds)
            curve.append({**point, "qps": round(qps)})
        enough = [point for point in curve if point["recall"] >= ENOUGH]
        best = max(enough, key=lambda point: point["qps"], default=None)
        from_disk = name == "Postil" or getattr(PEERS.get(name), "on_disk", False)
        results.append({"name": name, "rows": len(base), "from_disk": from_disk, "best": best, **facts.get(name, {}), "curve": curve})
    with (out / "results.jsonl").open("w") as file:
        for result in results:
            file.write(json.dumps(result) + "\n")
            print(json.dumps({key: value for key, value in result.items() if key != "curve"}), flush=True)
    plot(results, out / "plot.png")
    shutil.rmtree(scratch, ignore_errors=True)


def plot(results, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for result in results:
        points = sorted((point["recall"], point["qps"]) for point in result["curve"])
        width = 3 if result["name"].startswith("Postil") else 1
        axes.plot(*zip(*points), marker="o", linewidth=width, label=result["name"])
    axes.set(xlabel="recall@10", ylabel="queries a second, one thread", yscale="log", xlim=(0.9, 1.0),
             title=f"{results[0]['rows']:,} rows of 384 dimensions")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=120, bbox_inches="tight")


if __name__ == "__main__":
    main()
