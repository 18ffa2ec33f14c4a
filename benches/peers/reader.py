"""Time of a question under the reader: PyTorch and Postil on the same questions, one after the other.

    python benches/peers/reader.py --encoder FOLDER --eval FOLDER --database DB.postil [--set xquad.en] [--limit 200]

The environment and the encoder folder are those of `plugins/generator/training/setup.sh`, the database holds the
set's corpus with the question's pid as document key, and `cargo build --release` has been run. Both encode the
question, find the five nearest passages and answer by RAG-Sequence, thorough search; every question is new to both.
PyTorch reads all five; Postil does so once (`postil_reading_all`), and once as it does unless told otherwise, without the
last passages that have a thousandth of the prior together.
Prints one JSON line with p50 and p95 in milliseconds, F1 of the answers (abstaining left out) and the ratios.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
READER = ROOT / "plugins/generator/models/reader"
sys.path.insert(0, str(ROOT / "plugins/generator/training"))

from evaluate import PASSAGES, Asker  # noqa: E402
from export import load_reader  # noqa: E402
from rendering import render  # noqa: E402
from retrieval import SCORE_SCALE, BiEncoder  # noqa: E402
from scores import f1  # noqa: E402

THREADS = 2
WARM_UP = 5


def rows(path):
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def with_pytorch(encoder_folder, corpus, questions):
    torch.set_num_threads(THREADS)
    asker = Asker(load_reader(READER, "cpu"), READER, "cpu")
    encoder = BiEncoder(encoder_folder, "cpu")
    vectors = torch.from_numpy(encoder.encode([f"{p['title']}\n{p['text']}" for p in corpus]))
    times, overlap = [], []
    for row in questions[:WARM_UP] + questions:
        started = time.perf_counter()
        question = torch.from_numpy(encoder.encode([row["question"]]))[0]
        cosines, nearest = (vectors @ question).topk(PASSAGES)
        beside = [corpus[i] for i in nearest.tolist()]
        memory = asker.remember([row["question"]] * PASSAGES, beside)
        pieces, _ = asker.sequence(memory, torch.log_softmax(SCORE_SCALE * cosines, dim=0))
        answer = render(asker.tokenizer, pieces, [asker.source(p) for p in beside])
        times.append((time.perf_counter() - started) * 1e3)
        overlap.append(f1(answer, row["answers"]))
    times, overlap = times[WARM_UP:], overlap[WARM_UP:]
    return {"p50_ms": statistics.median(times), "p95_ms": statistics.quantiles(times, n=20)[-1], "f1": statistics.mean(overlap)}


def with_postil(database, questions, *options):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as asked:
        asked.writelines(json.dumps(row) + "\n" for row in questions)
        asked.flush()
        command = [ROOT / "target/release/postil", "eval", database, asked.name, "--mode", "sequence", "--json", *options]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {"p50_ms": told["p50_ms"], "p95_ms": told["p95_ms"], "f1": told["f1_always"]}


def main():
    parser = argparse.ArgumentParser()
    for name in ("encoder", "eval", "database"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--set", default="xquad.en")
    parser.add_argument("--limit", type=int, default=200)
    options = parser.parse_args()
    corpus = rows(options.eval / f"{options.set}.corpus.jsonl")
    questions = [row for row in rows(options.eval / f"{options.set}.jsonl") if row["answers"]]
    questions = questions[:: max(len(questions) // options.limit, 1)][: options.limit]
    reading_all = with_postil(options.database, questions, "--unread-prior", "0")
    postil = with_postil(options.database, questions)
    pytorch = with_pytorch(options.encoder, corpus, questions)

    def ratio(to):
        return {name: round(to[name] / pytorch[name], 3) for name in ("p50_ms", "p95_ms")}

    shown = {"questions": len(questions), "threads": THREADS, "pytorch": pytorch}
    shown |= {"postil": postil, "ratio": ratio(postil)}
    shown |= {"postil_reading_all": reading_all, "ratio_reading_all": ratio(reading_all)}
    print(json.dumps(shown))


if __name__ == "__main__":
    main()
