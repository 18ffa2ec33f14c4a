"""Documents made up by rules, and questions of them, as rows of train.jsonl.xz.

    python -m invented --rows 60000 --seed 1 --out FILE.jsonl.xz

Of these questions, a fifth has no answer in its passage although it is about the same things: the value asked for is
another thing's, another attribute's, or another document's.  Tables are written as the reader is shown them
(reader/shown.rs).  Every name and number is drawn: nothing is from a test set.
"""

import argparse
import json
import lzma
import random
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from invented.code import of_commands, of_config, of_endpoints, of_functions, of_symbols
from invented.maker import Maker, Row, capital, lowered
from invented.records import of_changes, of_glossaries, of_grids, of_minutes, of_timelines
from invented.reference import of_errors, of_readmes, of_settings, of_sheets
from invented.steps import of_agendas, of_lists, of_steps
from invented.terms import of_contrast, of_exceptions, of_permissions
from invented.things import of_profiles, of_things

MAKERS: list[tuple[Callable[[Maker], Row], float]] = [
    (of_things, 0.30),
    (of_profiles, 0.07),
    (of_grids, 0.06),
    (of_settings, 0.05),
    (of_errors, 0.04),
    (of_sheets, 0.05),
    (of_readmes, 0.12),
    (of_steps, 0.07),
    (of_lists, 0.05),
    (of_agendas, 0.03),
    (of_exceptions, 0.03),
    (of_contrast, 0.08),
    (of_permissions, 0.04),
    (of_config, 0.05),
    (of_commands, 0.03),
    (of_functions, 0.02),
    (of_endpoints, 0.01),
    (of_symbols, 0.02),
    (of_minutes, 0.02),
    (of_timelines, 0.03),
    (of_changes, 0.02),
    (of_glossaries, 0.02),
]
# What people write before they ask.
BEFORE = [
    "I started here in {m} and two colleagues have told me different things, so I ask.",
    "We are planning ahead for {m} and somebody has to know this before the meeting.",
    "Sorry if this was asked before, I looked in the usual places and did not find it.",
    "My manager wants an answer today, and the person who normally knows is on leave until {m}.",
    "Hello, I hope this is the right place to ask about it.",
    "I have read the first pages twice now and still cannot tell.",
    "Please look it up for me:",
    "This came up at the last meeting in {m} and nobody in the room was sure about it, so I write to you.",
    "Quick question.",
]
LONGEST = 1100  # characters of a passage that another part may bring it to


def mistyped(question: str, rng: random.Random) -> str:
    """Two letters swapped, or one left out, inside a word."""
    places = [
        i
        for i in range(2, len(question) - 2)
        if question[i - 1 : i + 3].isalpha() and question[i - 1 : i + 3].islower()
    ]
    if not places:
        return question
    at = rng.choice(places)
    swapped = question[:at] + question[at + 1] + question[at] + question[at + 2 :]
    return rng.choice([swapped, question[:at] + question[at + 1 :]])


def written(question: str, maker: Maker) -> str:
    """As people write: mostly as it is, some without capitals, with a slip, or after a sentence or two."""
    rng = maker.rng
    draw = rng.random()
    if draw < 0.12:
        return question.lower().rstrip("?")
    if draw < 0.18:
        return mistyped(question, rng)
    if draw < 0.24:
        before = " ".join(rng.sample(BEFORE, rng.choice([1, 1, 2])))
        return (
            f"{before} {capital(question)}".format(m=maker.value("month", {})[0])
            if "{" not in question
            else question
        )
    if draw < 0.27 and question.endswith("?"):
        return f"{rng.choice(['Can you tell me', 'Do you know', 'I need to know'])}: {lowered(question)}"
    return question


def beside(maker: Maker, row: Row, make: Callable[[Maker], Row]) -> str:
    """The passage with another document's part before or after it, of another kind."""
    rng = maker.rng
    others = [(other, weight) for other, weight in MAKERS if other is not make]
    other = rng.choices([each for each, _ in others], [weight for _, weight in others])[0](maker)
    answers_too = any(answer.lower() in other.context.lower() for answer in row.answers)
    if answers_too or len(row.context) + len(other.context) > LONGEST:
        return row.context
    heads = ["", "", f"## {other.title.split(' > ')[-1]}\n\n", f"{other.title.split(' > ')[-1]}\n\n"]
    part = rng.choice(heads) + other.context
    return f"{row.context}\n\n{part}" if rng.random() < 0.5 else f"{part}\n\n{row.context}"


def rows(rules: dict, count: int, seed: int) -> Iterator[dict]:
    rng = random.Random(seed)
    maker = Maker(rng, rules)
    for number in range(count):
        make = rng.choices([make for make, _ in MAKERS], [weight for _, weight in MAKERS])[0]
        row = make(maker)
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            row.context = beside(maker, row, make)
        if any(answer.lower() not in row.context.lower() for answer in row.answers[:1]):
            raise AssertionError(f"{row.kind}: {row.answers[0]!r} is not in {row.context!r}")
        yield {
            "id": f"invented:{seed}-{number}",
            "question": written(row.question, maker),
            "context": row.context,
            "answers": row.answers,
            "source": "invented",
            "kind": "extractive" if row.answers else "unanswerable",
            "title": row.title,
            "form": row.kind,
        }


def rules_of(folder: Path) -> dict:
    """All rules, of every file."""
    rules: dict = {}
    for path in sorted(folder.glob("*.toml")):
        rules |= tomllib.loads(path.read_text(encoding="utf-8"))
    return rules


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, required=True)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path, required=True)
    options = arguments.parse_args()
    with lzma.open(options.out, "wt", encoding="utf-8", preset=1) as out:
        for row in rows(rules_of(Path(__file__).parent), options.rows, options.seed):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
