"""Rows about real packages, from their own descriptions, as rows of train.jsonl.xz.

    python packages.py --rows 12000 --seed 1 --out FILE.jsonl.xz

Asked are what a README says in a form that a rule can find (license, least Python version, command to install,
author, what it is, a default), of the package whose README it is, and of others, of which it says nothing however much
it looks like an answer.  Only packages of packages.txt under MIT, BSD, Apache or ISC licences; their descriptions come with pip,
which downloads no more than them.  benches/readmes.py asks of crates: none of those is here.
"""

import argparse
import json
import lzma
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from invented.__main__ import written
from invented.maker import Maker

AT_ONCE = 40
PASSAGE = 1100  # characters
FREE = re.compile(r"\b(MIT|BSD|Apache|ISC)\b", re.IGNORECASE)
HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*#*$", re.MULTILINE)
UNDERLINED = re.compile(r"^(?P<text>\S.*)\n(?P<rule>([=\-~^\"*+#])\3{2,})[ \t]*$", re.MULTILINE)
BADGE = re.compile(r"^\s*(?:\[?!\[[^\n]*|\.\. (?:image|_)[^\n]*(?:\n +:[^\n]*)*|<[^\n]*>)\s*$", re.MULTILINE)
LICENSES = (
    r"(?:the )?((?:MIT|BSD|Apache|ISC|3-[Cc]lause BSD|2-[Cc]lause BSD|New BSD|Modified BSD)"
    r"(?:[ -](?:Software|[23]-[Cc]lause|Version|[Ll]icen[sc]e,?|v?2\.0|2))*)"
)


@dataclass(frozen=True)
class Fact:
    """Something that a README may say: how it says so, how it is asked for, and words without which it does not."""

    kind: str
    said: re.Pattern
    ask: list[str]
    words: re.Pattern


def fact(kind: str, said: str, ask: str, words: str, flags: int = 0) -> Fact:
    return Fact(
        kind, re.compile(said, re.MULTILINE | flags), ask.split("|"), re.compile(words, re.IGNORECASE)
    )


FACTS = [
    fact(
        "license",
        rf"(?:licen[sc]ed?(?: is| under| with)?|under|[Ll]icen[sc]e)[ :*]*(?:the terms of )?{LICENSES}",
        "Which license is {n} under?|What is the license of {n}?|{n} license|What license does {n} have?"
        "|Under which licence is {n} published?|license of {n}|Is {n} MIT or BSD?|How is {n} licensed?",
        r"licen[sc]e|copyright|\bMIT\b|\bBSD\b|Apache",
    ),
    fact(
        "python",
        r"(?:(?:[Rr]equires?|[Nn]eeds|[Ss]upports?|on|with)[ :]+\W{0,3}(?:C?[Pp]ython)[^\n.,]{0,12}|[Pp]ython ?>= ?|[Pp]ython )"
        r"\b([23]\.\d{1,2})\b(?=\+| or| and (?:above|later|newer|up)|[^\n.]{0,30}(?:required|supported)|[`, ]|$)",
        "Which Python version does {n} need at least?|What is the minimum Python version of {n}?"
        "|{n} minimum python version|Which Python does {n} require?|oldest python supported by {n}"
        "|Which versions of Python does {n} support?",
        r"python|version|require",
    ),
    fact(
        "install",
        r"((?:python3? -m )?pip3? install (?:-U |--upgrade )?[\w.\[\],\"'-]+)",
        "How is {n} installed?|How do I install {n}?|install {n}|Which command installs {n}?|{n} installation",
        r"install|pip|conda",
    ),
    fact(
        "author",
        r"(?:created|written|developed|maintained|authored) (?:and maintained )?by \[?((?:(?:[A-Z][\w'-]+|[A-Z]\.) ){1,2}[A-Z][\w'-]+)",
        "Who maintains {n}?|Who wrote {n}?|Who is the author of {n}?|{n} author|Who created {n}?|maintainer of {n}",
        r"\bby\b|author|maintain|copyright",
    ),
    fact(
        "year",
        r"[Cc]opyright (?:\([cC]\) |© )?(\d{4}(?:[-–]\d{4})?)",
        "What year is the copyright of {n}?|{n} copyright year|From which year is the copyright notice of {n}?",
        r"copyright|©|\d{4}",
    ),
    fact(
        "default",
        r"((?:[Dd]efaults? (?:to|is|value is|port is|value of))[ :]+[`\"']*)([\w./:-]*\w)",
        "What is the default of `{o}` in {n}?|{n} {o} default|Which value does {o} have by default in {n}?",
        r"default",
    ),
    fact(
        "what",
        r"^[*_`]*{n}[*_`]* is (an? [^\n.]{10,110}?)(?:\.|,| that | which |\n)",
        "What is {n}?|What does {n} do?|{n} what is it|What is {n} for?",
        r"\bis\b",
    ),
    fact(
        "docs",
        r"(?:[Dd]ocumentation|[Dd]ocs)[^\n]{0,60}?(https?://[\w./-]+\w)",
        "Where is the documentation of {n}?|{n} documentation|Where are the docs of {n}?",
        r"doc|http",
    ),
    fact(
        "test",
        r"^[ \t$>`]*((?:python3? -m )?(?:pytest|tox|nox|make test|hatch test)\b[^\n`]{0,30})$",
        "How are the tests of {n} run?|run {n} tests|Which command runs the test suite of {n}?",
        r"test|tox|nox",
    ),
]
HISTORY = re.compile(
    r"change|history|release|what's new|\d+\.\d+", re.IGNORECASE
)  # headings of what was once so
OPTION = re.compile(r"[`\"*]{1,2}([\w.-]{3,30})[`\"*]{1,2}")
# Asked of packages only where nothing is said of it.
UNSAID = (
    "Which features of {n} are enabled by default?|What is the minimum supported Rust version of {n}?|Who sponsors {n}?"
    "|Which port does {n} listen on?|What is the default log level of {n}?|How large is {n}?|When was {n} first released?"
    "|What is the current version of {n}?|Does {n} work on Windows?|What does {n} cost?"
).split("|")


@dataclass(frozen=True)
class Passage:
    package: str
    title: str
    text: str


def reports(names: list[str]) -> Iterator[dict]:
    """The metadata of the newest versions, by pip."""
    with tempfile.TemporaryDirectory() as folder:
        for begin in range(0, len(names), AT_ONCE):
            report = Path(folder) / "report.json"
            command = "install --quiet --dry-run --no-deps --ignore-installed --only-binary :all: --report"
            subprocess.run(
                [sys.executable, "-m", "pip", *command.split(), str(report), *names[begin : begin + AT_ONCE]],
                check=True,
            )
            for package in json.loads(report.read_text(encoding="utf-8"))["install"]:
                yield package["metadata"]


def is_free(metadata: dict) -> bool:
    said = [metadata.get("license") or "", metadata.get("license_expression") or ""]
    said += [each for each in metadata.get("classifier", []) if each.startswith("License")]
    return any(FREE.search(each[:200]) and "GPL" not in each[:200] for each in said)


def passages(metadata: dict) -> Iterator[Passage]:
    """The sections of a description, cut at paragraphs, each with the path of headings it stands under."""
    name = metadata["name"]
    text = BADGE.sub("", metadata.get("description") or "")
    text = UNDERLINED.sub(lambda found: f"{'#' if found['rule'][0] == '=' else '##'} {found['text']}", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    headings = list(HEADING.finditer(text))
    starts = [0, *(found.end() for found in headings)]
    ends = [*(found.start() for found in headings), len(text)]
    path: list[tuple[int, str]] = []
    for at, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if at:
            level = len(headings[at - 1][1])
            path = [each for each in path if each[0] < level] + [(level, headings[at - 1][2].strip("*_`"))]
        title = " > ".join(each for _, each in path)
        if letters(name) not in letters(title):
            title = f"{name} > {title}" if title else name
        if HISTORY.search(title):
            continue
        held = ""
        for part in text[start:end].strip().split("\n\n"):
            if held and len(held) + len(part) > PASSAGE:
                yield Passage(name, title, held)
                held = ""
            held = f"{held}\n\n{part}" if held else part[:PASSAGE]
        if len(held) > 20:
            yield Passage(name, title, held)


def letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def said(fact: Fact, passage: Passage, name: str) -> tuple[str, str] | None:
    """What the passage says, and for a default what it is the default of."""
    pattern = fact.said
    if fact.kind == "what":
        pattern = re.compile(pattern.pattern.replace("{n}", re.escape(name)), re.M | re.I)
    found = pattern.search(passage.text)
    if found is None:
        return None
    if fact.kind != "default":
        return found[1].strip().rstrip(","), ""
    line = passage.text[passage.text.rfind("\n", 0, found.start()) + 1 : found.start()]
    options = OPTION.findall(line)
    return (found[2], options[0]) if options and options[0] != found[2] else None


def rows(held: list[Passage], count: int, seed: int) -> Iterator[dict]:
    rng = random.Random(seed)
    maker = Maker(rng, {"names": {}})
    names = sorted({passage.package for passage in held})
    where = {fact.kind: [(p, found) for p in held if (found := said(fact, p, p.package))] for fact in FACTS}
    weights = [min(len(where[fact.kind]), 150) ** 0.5 for fact in FACTS]
    made: set[tuple[str, str]] = set()
    while len(made) < count:
        fact = rng.choices(FACTS, weights)[0]
        passage, (answer, option) = rng.choice(where[fact.kind])
        draw, answers, ask = rng.random(), [answer], fact.ask
        name = passage.package
        if draw < 0.55:
            name = rng.choice(names)
            if letters(name) in letters(passage.text + passage.title):
                continue
            answers = []
            if draw < 0.1:
                ask = UNSAID
            elif draw < 0.2:
                passage = rng.choice(held)
                if letters(name) in letters(passage.text + passage.title):
                    continue
        elif draw < 0.68:
            passage = rng.choice([p for p in held if p.package == name])
            if fact.words.search(passage.text + passage.title):
                continue
            answers = []
        if answers and passage.text.lower().count(answer.lower()) > 6:
            continue
        question = rng.choice(ask).format(n=name, o=option or "timeout")
        if (question, passage.text) in made:
            continue
        made.add((question, passage.text))
        yield {
            "id": f"packages:{seed}-{len(made)}",
            "question": written(question, maker),
            "context": passage.text,
            "answers": answers,
            "source": "invented",
            "kind": "extractive" if answers else "unanswerable",
            "title": passage.title,
            "form": f"package-{fact.kind}" + ("" if answers else "-absent"),
        }


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, required=True)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path, required=True)
    options = arguments.parse_args()
    names = (Path(__file__).parent / "packages.txt").read_text().split()
    held = [passage for metadata in reports(names) if is_free(metadata) for passage in passages(metadata)]
    with lzma.open(options.out, "wt", encoding="utf-8", preset=1) as out:
        for row in rows(held, options.rows, options.seed):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
