"""Passages that look right and do not answer: BM25 over the training passages, or the default encoder.

    negatives.py --config FILE --data FILE --encoder FOLDER --out FILE [--method bm25|encoder]

Writes one JSON line per training row: the retrieved passages without an answer string, best first, with
their scores and the score of the row's own passage (cosines when --method encoder, for the RAG loss).
"""

import argparse
import json
import math
import random
import re
import sys
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from dataset import Corpus, Row, contains_answer

# Terms in more passages than this say nothing and cost most of the time.
MOST_COMMON_SHARE = 0.05
K1, B = 1.2, 0.75
TOP = 24
KEEP = 8


def terms(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


class Bm25:
    def __init__(self, texts: list[str]) -> None:
        documents = [terms(text) for text in texts]
        lengths = np.array([len(d) for d in documents], dtype=np.float32)
        norm = K1 * (1 - B + B * lengths / lengths.mean())
        found = defaultdict(list)
        for index, document in enumerate(documents):
            for term, count in Counter(document).items():
                found[term].append((index, count))
        self.size = len(documents)
        self.postings = {}
        for term, pairs in found.items():
            if len(pairs) <= MOST_COMMON_SHARE * self.size:
                index = np.array([p[0] for p in pairs], dtype=np.int32)
                count = np.array([p[1] for p in pairs], dtype=np.float32)
                idf = math.log(1 + (self.size - len(pairs) + 0.5) / (len(pairs) + 0.5))
                self.postings[term] = index, idf * count * (K1 + 1) / (count + norm[index])

    def scores(self, question: str) -> np.ndarray:
        out = np.zeros(self.size, dtype=np.float32)
        for term in set(terms(question)):
            if term in self.postings:
                index, weight = self.postings[term]
                out[index] += weight
        return out


class EncoderScores:
    """Cosines of the default encoder."""

    def __init__(self, texts: list[str], questions: list[str], folder: Path, device: str) -> None:
        from retrieval import BiEncoder

        # Which passages are near does not hang on the third digit of a cosine.
        encoder = BiEncoder(folder, device, bfloat16=True)
        self.passages = encoder.encode(texts)
        self.questions = dict(zip(questions, encoder.encode(questions), strict=True))

    def scores(self, question: str) -> np.ndarray:
        return self.passages @ self.questions[question]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--config", type=Path, required=True)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--encoder", type=Path)
    arguments.add_argument("--method", choices=["bm25", "encoder"], default="bm25")
    arguments.add_argument("--device", default="cpu")
    options = arguments.parse_args()
    config = tomllib.loads(options.config.read_text())
    corpus = Corpus(options.data, config["sources"])
    train, dev = corpus.split(config["dev_rows"], config["seed"])
    allowed = np.zeros(len(corpus.contexts), dtype=bool)
    allowed[[row.context for row in train]] = True

    texts = [f"{c.title} {c.text}" for c in corpus.contexts]
    questions = sorted({row.question for row in train + dev if row.answers})
    if options.method == "bm25":
        index = Bm25(texts)
    else:
        index = EncoderScores(texts, questions, options.encoder, options.device)

    def retrieve(row: Row, among_train: bool) -> dict:
        scores = index.scores(row.question)
        own = float(scores[row.context])
        if among_train:
            scores = np.where(allowed, scores, -np.inf)
        best = np.argpartition(-scores, TOP)[:TOP]
        best = [int(i) for i in best[np.argsort(-scores[best])] if int(i) != row.context and scores[i] > 0]
        kept = []
        for i in best:
            if not contains_answer(corpus.contexts[i].text, row.answers):
                kept.append(i)
                if len(kept) == KEEP:
                    break
        return {"own": own, "passages": kept, "scores": [float(scores[i]) for i in kept]}

    with options.out.open("w") as out:
        for done, row in enumerate(train + dev):
            found = retrieve(row, done < len(train)) if row.answers else {"own": 0.0, "passages": [], "scores": []}
            out.write(json.dumps(found) + "\n")
            if done % 5000 == 0:
                print(done, file=sys.stderr, flush=True)


if __name__ == "__main__":
    random.seed(0)
    main()
