"""Questions with known answers, of unlike kinds, for benches/calibrate.rs; none is trained on or reported.

    python calibration.py --eval DATA/eval --out RUN/calibration
    cd RUN/calibration; for each: postil ingest NAME.postil (NAME.jsonl | NAME/)

name | kind | questions
---|---|---
`newwiki` | wikipedia | every fourth of newwiki.heldout, all answerable
`squad2` | wikipedia | every second of the first half of squad2.heldout, more than half unanswerable
`packages` | packages | of the descriptions of Python packages, and of packages that none of them is about
`invented` | invented | of documents made by rules, of another seed than training; each asked of 20 of them
`desk` | workplace | of twelve workplace documents written by hand for this, in calibration/desk/

Wikipedia's are meant to be asked twice: of the set's own passages, and, every second one (`NAME.some.questions.jsonl`), of
these among others.
"""

import argparse
import json
import random
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import packages
from invented.__main__ import rows, rules_of

HERE = Path(__file__).parent
TOGETHER = 20  # invented documents that a question is asked of
ASKED = ("license", "python", "author", "what", "install")  # what is asked about packages that are there


def write(path: Path, lines: Iterable[dict]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def wikipedia(folder: Path, out: Path) -> None:
    for name in ("newwiki", "squad2"):
        asked = read(folder / f"{name}.heldout.jsonl")
        asked = asked[::4] if name == "newwiki" else asked[: len(asked) // 2 : 2]
        kept = [{key: row[key] for key in ("question", "answers", "pid")} for row in asked]
        write(out / f"{name}.questions.jsonl", kept)
        write(out / f"{name}.some.questions.jsonl", kept[::2])
        shutil.copy(folder / f"{name}.heldout.corpus.jsonl", out / f"{name}.jsonl")


def invented(out: Path, count: int, seed: int) -> None:
    documents, questions = [], []
    for number, row in enumerate(rows(rules_of(HERE / "invented"), count, seed)):
        group, name = number // TOGETHER, f"invented-{number}"
        documents.append({"id": name, "title": row["title"], "text": row["context"], "group": group})
        asked = {"question": row["question"], "answers": row["answers"], "pid": name, "kind": row["form"]}
        questions.append(asked | {"filter": f"group == {group}"})
    write(out / "invented.jsonl", documents)
    write(out / "invented.questions.jsonl", questions)


def of_packages(held: list[dict], out: Path, most: int, seed: int) -> None:
    """Every second package is there; the others are asked about where nothing that is there names them."""
    rng = random.Random(seed)
    held = sorted(held, key=lambda metadata: metadata["name"].lower())
    rng.shuffle(held)
    there, gone = held[::2], held[1::2]
    text = "\n".join(metadata.get("description") or "" for metadata in there).lower()
    present, absent = [], []
    for metadata in there:
        name = metadata["name"]
        place = out / "packages" / name / "README.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(metadata.get("description") or "", encoding="utf-8")
        seen = set()
        for passage in packages.passages(metadata):
            for fact in packages.FACTS:
                said = packages.said(fact, passage, name) if fact.kind in ASKED else None
                if said and fact.kind not in seen:
                    seen.add(fact.kind)
                    question = rng.choice(fact.ask).format(n=name)
                    row = {"question": question, "answers": [said[0]], "kind": "present"}
                    present.append(row | {"pid": f"packages/{name}/README.md"})
    for metadata in gone:
        name = metadata["name"]
        if not re.search(rf"\b{re.escape(name.lower())}\b", text):
            fact = rng.choice([fact for fact in packages.FACTS if fact.kind in ASKED])
            ask = packages.UNSAID if rng.random() < 0.3 else fact.ask
            absent.append({"question": rng.choice(ask).format(n=name), "answers": [], "kind": "absent"})
    chosen = [rng.sample(kind, min(most, len(kind))) for kind in (present, absent)]
    write(out / "packages.questions.jsonl", sum(chosen, []))


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--eval", type=Path, required=True, help="folder with *.heldout.jsonl and their corpora")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--rows", type=int, default=500, help="invented documents")
    arguments.add_argument("--packages", type=int, default=150, help="questions of each kind about packages, at most")
    arguments.add_argument("--seed", type=int, default=77)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    wikipedia(options.eval, options.out)
    invented(options.out, options.rows, options.seed)
    shutil.copytree(HERE / "calibration" / "desk", options.out / "desk", dirs_exist_ok=True)
    shutil.copy(HERE / "calibration" / "desk.jsonl", options.out / "desk.questions.jsonl")
    names = (HERE / "calibration" / "packages.txt").read_text().split()
    held = [metadata for metadata in packages.reports(names) if packages.is_free(metadata)]
    of_packages(held, options.out, options.packages, options.seed)


if __name__ == "__main__":
    main()
