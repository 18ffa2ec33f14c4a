"""Training rows as word pieces: sources, windows of the passage, targets, batches of similar length."""

import json
import lzma
import random
import re
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from model import END_ID, NO_ANSWER_ID, PAD_ID, START_ID

QUESTION_PIECES = 96
TITLE_PIECES = 32
ANSWER_PIECES = 24
INVENTED = "invented"  # the source of what invented/ makes
INPUT_PIECES = 512


@dataclass(frozen=True)
class Row:
    question: str
    context: int  # index into Corpus.contexts
    answers: tuple[str, ...]  # empty: the passage does not answer
    source: str
    kind: str


@dataclass(frozen=True)
class Context:
    title: str
    text: str


class Corpus:
    """The rows of the allowed sources, each distinct (title, passage) once."""

    def __init__(self, path: Path, sources: dict[str, float]) -> None:
        self.contexts: list[Context] = []
        self.known: dict[str, int] = {}
        self.rows = self.read(path, sources)

    def read(self, path: Path, sources: dict[str, float]) -> list[Row]:
        """The rows of a file, which `self.rows` does not get."""
        rows = []
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                name = schedule_name(record["source"], record["kind"])
                if name not in sources:
                    continue
                if record["context"] not in self.known:
                    self.known[record["context"]] = len(self.contexts)
                    self.contexts.append(Context(record["title"], record["context"]))
                rows.append(Row(record["question"], self.known[record["context"]],
                                tuple(record["answers"]), name, record["kind"]))
        return rows

    def split(self, dev_rows: int, seed: int) -> tuple[list[Row], list[Row]]:
        """Train and dev rows with no passage in common."""
        of_context = defaultdict(list)
        for row in self.rows:
            of_context[row.context].append(row)
        order = sorted(of_context)
        random.Random(seed).shuffle(order)
        dev: list[Row] = []
        held_out = set()
        for context in order:
            if len(dev) >= dev_rows:
                break
            # Sources read in full are the ones the schedule trusts; dev is made of those only.
            if all(row.kind != "abstractive" and row.source.startswith(("squad", "tydiqa", "quoref", "synth"))
                   for row in of_context[context]):
                dev += of_context[context]
                held_out.add(context)
        return [row for row in self.rows if row.context not in held_out], dev


def schedule_name(source: str, kind: str) -> str:
    """The key of a row in the configuration's `sources`."""
    if source.startswith("synth-unans:"):
        return "synth-unans"
    return f"{source}:abstractive" if kind == "abstractive" else source


def normalize(text: str) -> str:
    """SQuAD's answer normalization."""
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def contains_answer(text: str, answers: tuple[str, ...]) -> bool:
    padded = f" {normalize(text)} "
    return any(f" {normalize(answer)} " in padded for answer in answers)


def open_tokenizer(folder: Path) -> Tokenizer:
    """Without truncation or padding, and with "[SEP]" in a text read as text."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str]) -> list:
    return tokenizer.encode_batch(texts, add_special_tokens=False)


@dataclass
class Pieces:
    """A passage in word pieces; `starts` are the indices at which a word begins."""

    ids: list[int]
    offsets: list[tuple[int, int]]
    starts: list[int]


def pieces_of(tokenizer: Tokenizer, texts: list[str]) -> list[Pieces]:
    out = []
    for encoding in encode(tokenizer, texts):
        words = encoding.word_ids
        starts = [i for i, word in enumerate(words) if i == 0 or word != words[i - 1]]
        out.append(Pieces(encoding.ids, encoding.offsets, starts))
    return out


def occurrences(ids: list[int], answer: list[int]) -> list[int]:
    last = len(ids) - len(answer)
    return [i for i in range(last + 1) if ids[i : i + len(answer)] == answer] if answer else []


def window(pieces: Pieces, most: int, answer: list[int], rng: random.Random) -> list[int]:
    """At most `most` pieces, cut at word starts, around a random occurrence of the answer if there is one."""
    ids = pieces.ids
    if len(ids) <= most:
        return ids
    found = occurrences(ids, answer) if len(answer) < most else []
    if found:
        at = rng.choice(found)
        low, high = max(0, at + len(answer) - most), min(at, len(ids) - most)
    else:
        low, high = 0, len(ids) - most
    begins = [i for i in pieces.starts if low <= i <= high] or [low]
    begin = rng.choice(begins)
    end = min(begin + most, len(ids))
    if end < len(ids):
        end = max((i for i in pieces.starts if begin < i <= end), default=end)
        if found:
            end = max(end, at + len(answer))
    return ids[begin:end]


@dataclass
class Example:
    ids: list[int]
    passage_start: int  # index of the first piece of segment 1
    target: list[int]
    is_known: bool = True  # of data that the readers learned from are good at


def assemble(question: list[int], title: list[int], passage: list[int], target: list[int]) -> Example:
    """`[CLS] question [SEP] title : passage [SEP]`; the title carries its own colon."""
    question, title = question[:QUESTION_PIECES], title
    head = [START_ID, *question, END_ID]
    body = [*title, *passage][: INPUT_PIECES - len(head) - 1]
    return Example([*head, *body, END_ID], len(head), target)


def title_text(title: str) -> str:
    return f"{title}:" if title else ""


def title_pieces(ids: list[int]) -> list[int]:
    """A long title is cut but keeps its colon."""
    return ids if len(ids) <= TITLE_PIECES else [*ids[: TITLE_PIECES - 1], ids[-1]]


def collate(examples: list[Example], device: str) -> tuple[dict[str, Tensor], Tensor]:
    rows, pieces = len(examples), max(len(e.ids) for e in examples)
    ids = torch.full((rows, pieces), PAD_ID)
    segments = torch.zeros((rows, pieces), dtype=torch.long)
    copyable = torch.zeros(rows, pieces)
    targets = torch.full((rows, max(len(e.target) for e in examples)), PAD_ID)
    for row, example in enumerate(examples):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        segments[row, example.passage_start : length] = 1
        copyable[row, example.passage_start : length - 1] = 1  # not the last [SEP]
        targets[row, : len(example.target)] = torch.tensor(example.target)
    batch = {"ids": ids, "segments": segments, "copyable": copyable,
             "length": torch.tensor([len(e.ids) for e in examples]),
             "known": torch.tensor([float(e.is_known) for e in examples])}
    return {name: tensor.to(device) for name, tensor in batch.items()}, targets.to(device)


class Examples:
    """Turns rows into examples, with every text tokenized once, ahead of time."""

    def __init__(self, corpus: Corpus, rows: list[Row], tokenizer: Tokenizer, edits: list[list[str]]) -> None:
        self.passages = pieces_of(tokenizer, [c.text for c in corpus.contexts])
        self.titles = [title_pieces(e.ids) for e in encode(tokenizer, [title_text(c.title) for c in corpus.contexts])]
        questions = sorted({row.question for row in rows}.union(*edits))
        self.questions = {q: e.ids for q, e in zip(questions, encode(tokenizer, questions), strict=True)}
        answers = sorted({answer for row in rows for answer in row.answers})
        self.answers = {a: e.ids for a, e in zip(answers, encode(tokenizer, answers), strict=True)}

    def make(self, row: Row, context: int, most: int, rng: random.Random, first_answer: float, drop_title: float) -> Example:
        """`context` other than the row's own is a negative: its target is no answer."""
        answer: list[int] = []
        target = [NO_ANSWER_ID]
        if row.answers and context == row.context:
            chosen = row.answers[0] if rng.random() < first_answer else rng.choice(row.answers)
            answer = self.answers[chosen]
            target = answer[:ANSWER_PIECES] if len(answer) > ANSWER_PIECES else [*answer, END_ID]
        title = [] if rng.random() < drop_title else self.titles[context]
        passage = window(self.passages[context], most, answer[:ANSWER_PIECES], rng)
        return assemble(self.questions[row.question], title, passage, target)


@dataclass
class Schedule:
    """How many of each source an epoch shows, and how often beside a passage that does not answer."""

    shares: dict[str, float]
    negative: float
    edited: float
    empty: float
    first_answer: float
    drop_title: float


def picks(rows: list[Row], schedule: Schedule, rng: random.Random) -> list[int]:
    """The rows of one pass, each source in its share: 2.0 shows a row twice."""
    out = []
    for index, row in enumerate(rows):
        share = schedule.shares[row.source]
        out += [index] * (int(share) + (rng.random() < share % 1))
    return out


def epoch(
    rows: list[Row],
    negatives: list[list[int]],
    edits: list[list[str]],
    schedule: Schedule,
    examples: Examples,
    most: Callable[[], int],
    rng: random.Random,
) -> Iterator[Example]:
    """One pass over the rows, in random order."""
    jobs = []
    for index in picks(rows, schedule, rng):
        row = rows[index]
        jobs.append((row, row.context))
        if row.answers and negatives[index] and rng.random() < schedule.negative:
            jobs.append((row, rng.choice(negatives[index])))
        if edits[index] and rng.random() < schedule.edited:
            jobs.append((replace(row, question=rng.choice(edits[index]), answers=()), row.context))
    rng.shuffle(jobs)
    for row, context in jobs:
        # What an invented document is about may stand in its title only.
        drop_title = 0.0 if row.source == INVENTED else schedule.drop_title
        example = examples.make(row, context, most(), rng, schedule.first_answer, drop_title)
        if rng.random() < schedule.empty:
            question = example.ids[: example.passage_start]
            example = Example([*question, END_ID], example.passage_start, [NO_ANSWER_ID])
        yield replace(example, is_known=row.source != INVENTED)


def batches(stream: Iterator[Example], size: int, pool: int, rng: random.Random) -> Iterator[list[Example]]:
    """Sorts `pool` batches' worth of examples by length, cuts them up, and yields them in random order."""
    held: list[Example] = []

    def cut() -> list[list[Example]]:
        held.sort(key=lambda e: (len(e.ids), len(e.target)))
        out = [held[i : i + size] for i in range(0, len(held), size)]
        rng.shuffle(out)
        return out

    for example in stream:
        held.append(example)
        if len(held) == size * pool:
            yield from cut()
            held = []
    yield from cut()


def count_by_source(rows: list[Row]) -> dict[str, int]:
    return dict(Counter(row.source for row in rows).most_common())
