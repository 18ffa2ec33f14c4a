"""Measures an exported reader on questions with gold answers.

    evaluate.py --reader FOLDER --encoder FOLDER --eval FOLDER [--sets NAME ...] [--limit N] [--out FILE]

Per set: (a) the gold passage alone; (b) an open corpus, the default encoder's five best passages with prior
softmax(20 cos), answered by RAG-Sequence, RAG-Token and by the top passage alone; and how well "no answer"
is told from an answer.  Answers are chosen with no answer left out.
"""

import argparse
import json
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from dataset import assemble, collate, encode, open_tokenizer, title_pieces, title_text
from decode import LONGEST, beam, greedy
from model import END_ID, NO_ANSWER_ID, PAD_ID, Memory, Reader
from rendering import Source, render, source_of
from retrieval import SCORE_SCALE, BiEncoder
from scores import auroc, exact_match, f1
from weights import load_reader

SETS = ["xquad.en", "newwiki.heldout", "squad2.heldout"]
PASSAGES = 5
BEAM = 3
# Scoring a candidate under five passages costs as much as reading one.
CANDIDATES = 8
GOLD_BATCH = 16


@dataclass
class Tally:
    """One way of answering; F1 and EM over the answerable questions."""

    exact: list[float] = field(default_factory=list)
    overlap: list[float] = field(default_factory=list)

    def add(self, answer: str, golds: list[str]) -> None:
        self.exact.append(exact_match(answer, golds))
        self.overlap.append(f1(answer, golds))

    def summary(self) -> dict[str, float]:
        count = max(len(self.exact), 1)
        return {"em": round(100 * sum(self.exact) / count, 2), "f1": round(100 * sum(self.overlap) / count, 2)}


@dataclass
class Evidence:
    """Scores that should be high for questions that have an answer."""

    answerable: list[float] = field(default_factory=list)
    unanswerable: list[float] = field(default_factory=list)

    def add(self, score: float, has_answer: bool) -> None:
        (self.answerable if has_answer else self.unanswerable).append(score)

    def auroc(self) -> float | None:
        if not self.answerable or not self.unanswerable:
            return None
        return round(auroc(self.answerable, self.unanswerable), 4)


class Asker:
    def __init__(self, reader: Reader, folder: Path, device: str) -> None:
        self.reader, self.device = reader, device
        self.tokenizer = open_tokenizer(folder)

    def remember(self, questions: list[str], passages: list[dict]) -> Memory:
        texts = [[e.ids for e in encode(self.tokenizer, column)] for column in
                 (questions, [title_text(p["title"]) for p in passages], [p["text"] for p in passages])]
        examples = [assemble(q, title_pieces(t), p, [END_ID]) for q, t, p in zip(*texts, strict=True)]
        batch, _ = collate(examples, self.device)
        with torch.no_grad():
            return self.reader.remember(batch)

    def source(self, passage: dict) -> Source:
        return source_of(self.tokenizer, passage["title"], passage["text"])

    @torch.no_grad()
    def sequence(self, memory: Memory, log_prior: Tensor) -> tuple[list[int], float]:
        """RAG-Sequence, thorough: every passage's beam, the best candidates scored exactly under every passage."""
        passages = len(log_prior)
        promise: dict[tuple[int, ...], float] = {}
        for prior, found in zip(log_prior.tolist(), beam(self.reader, memory, BEAM), strict=True):
            for log_p, pieces in found:
                promise[tuple(pieces)] = max(prior + log_p, promise.get(tuple(pieces), -torch.inf))
        candidates = sorted(promise, key=promise.__getitem__, reverse=True)[:CANDIDATES]
        longest = max(len(c) for c in candidates) + 1
        targets = torch.full((len(candidates), longest), PAD_ID, device=self.device)
        for row, candidate in enumerate(candidates):
            targets[row, : len(candidate) + 1] = torch.tensor([*candidate, END_ID])
        rows = torch.arange(passages, device=self.device).repeat(len(candidates))
        log_p = self.reader.sequence_log_prob(memory.select(rows), targets.repeat_interleave(passages, 0))
        marginal = torch.logsumexp(log_p.view(len(candidates), passages) + log_prior, dim=1)
        best = int(marginal.argmax())
        return list(candidates[best]), float(marginal[best])

    @torch.no_grad()
    def token(self, memory: Memory, log_prior: Tensor) -> tuple[list[int], float]:
        """RAG-Token, greedy; also log of the mixture's p(no answer)."""
        state = self.reader.decoder.begin(memory)
        pieces: list[int] = []
        no_answer = 0.0
        for index in range(LONGEST):
            step = self.reader.decoder.step(memory, state, self.reader.encoder.words)
            mixture = torch.logsumexp(self.reader.decoder.log_probs(memory, step) + log_prior[:, None], dim=0)
            if index == 0:
                no_answer = float(mixture[NO_ANSWER_ID])
                mixture[NO_ANSWER_ID] = -torch.inf
            token = int(mixture.argmax())
            if token == END_ID:
                break
            pieces.append(token)
            state = self.reader.decoder.advance(memory, step, torch.full_like(state.token, token))
        return pieces, no_answer


def gold_passage(asker: Asker, rows: list[dict], passages: dict[str, dict]) -> dict:
    tally, evidence = Tally(), Evidence()
    order = sorted(rows, key=lambda row: len(passages[row["pid"]]["text"]))
    for begin in range(0, len(order), GOLD_BATCH):
        chosen = order[begin : begin + GOLD_BATCH]
        beside = [passages[row["pid"]] for row in chosen]
        memory = asker.remember([row["question"] for row in chosen], beside)
        found, no_answer = greedy(asker.reader, memory, allow_no_answer=False)
        for row, passage, pieces, log_p in zip(chosen, beside, found, no_answer.tolist(), strict=True):
            evidence.add(-log_p, bool(row["answers"]))
            if row["answers"]:
                tally.add(render(asker.tokenizer, pieces, [asker.source(passage)]), row["answers"])
    return {**tally.summary(), "auroc": evidence.auroc(), "answerable": len(evidence.answerable),
            "unanswerable": len(evidence.unanswerable)}


def open_corpus(asker: Asker, encoder: BiEncoder, rows: list[dict], passages: dict[str, dict]) -> dict:
    listed = list(passages.values())
    vectors = torch.from_numpy(encoder.encode([f"{p['title']}\n{p['text']}" for p in listed]))
    questions = torch.from_numpy(encoder.encode([row["question"] for row in rows]))
    ways = {name: Tally() for name in ("sequence", "token", "top_passage")}
    evidence = {name: Evidence() for name in ("no_answer", "answer", "answer_ratio")}
    hits = []
    started = time.monotonic()
    for done, (row, question) in enumerate(zip(rows, questions, strict=True)):
        cosines, nearest = (vectors @ question).topk(PASSAGES)
        log_prior = torch.log_softmax(SCORE_SCALE * cosines, dim=0).to(asker.device)
        beside = [listed[i] for i in nearest.tolist()]
        memory = asker.remember([row["question"]] * PASSAGES, beside)
        sources = [asker.source(p) for p in beside]
        by_sequence, log_answer = asker.sequence(memory, log_prior)
        by_token, no_answer = asker.token(memory, log_prior)
        (by_top,), _ = greedy(asker.reader, memory.select(torch.tensor([0], device=asker.device)), allow_no_answer=False)
        has_answer = bool(row["answers"])
        evidence["no_answer"].add(-no_answer, has_answer)
        evidence["answer"].add(log_answer, has_answer)
        evidence["answer_ratio"].add(log_answer - no_answer, has_answer)
        if has_answer:
            hits.append(row["pid"] in [p["pid"] for p in beside])
            for name, pieces, shown in (("sequence", by_sequence, sources), ("token", by_token, sources),
                                        ("top_passage", by_top, sources[:1])):
                ways[name].add(render(asker.tokenizer, pieces, shown), row["answers"])
        if done % 100 == 99:
            print(done + 1, file=sys.stderr, flush=True)
    return {"hit@5": round(100 * sum(hits) / len(hits), 2), **{name: tally.summary() for name, tally in ways.items()},
            "auroc": {name: e.auroc() for name, e in evidence.items()},
            "ms_per_question": round(1000 * (time.monotonic() - started) / len(rows))}


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("reader", "encoder", "eval"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--limit", type=int, help="this many questions of each set, drawn at random")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    asker = Asker(load_reader(options.reader, options.device), options.reader, options.device)
    encoder = BiEncoder(options.encoder, options.device)
    for name in options.sets:
        rows = [json.loads(line) for line in (options.eval / f"{name}.jsonl").open(encoding="utf-8")]
        corpus = [json.loads(line) for line in (options.eval / f"{name}.corpus.jsonl").open(encoding="utf-8")]
        passages = {passage["pid"]: passage for passage in corpus}
        if options.limit:
            rows = random.Random(0).sample(rows, min(options.limit, len(rows)))
        result = {"set": name, "questions": len(rows), "gold_passage": gold_passage(asker, rows, passages),
                  "open_corpus": open_corpus(asker, encoder, rows, passages)}
        print(json.dumps(result), flush=True)
        if options.out:
            with options.out.open("a") as out:
                out.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
