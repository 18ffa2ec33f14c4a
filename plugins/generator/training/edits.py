"""Questions that their own passage no longer answers, made from questions that it does.

    edits.py --config FILE --data FILE --out FILE

After the kinds that SQuAD 2.0's authors list (Rajpurkar et al. 2018, arXiv 1806.03822, table 2): another name,
another number, an opposite, a negation.  Writes one JSON list per training row: at most one question of each kind.
"""

import argparse
import json
import random
import re
import tomllib
from collections import defaultdict
from pathlib import Path

from dataset import Corpus, Row, contains_answer

NAME = re.compile(r"\b[A-Z][\w'’.-]*(?:\s+(?:of|the|de|von|van|and)?\s*[A-Z][\w'’.-]*)*")
NUMBER = re.compile(r"\b\d[\d,]*(?:\.\d+)?\b")
NEGATED = 0.3
MONTHS = ("january february march april may june july august september october november december").split()
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()

OPPOSITES = """
first last|highest lowest|largest smallest|biggest smallest|longest shortest|oldest youngest|oldest newest|most least
more fewer|more less|before after|above below|inside outside|north south|northern southern|east west|eastern western
increase decrease|increased decreased|increases decreases|rise fall|rose fell|begin end|began ended|start finish
started stopped|start stop|open close|opened closed|won lost|win lose|gain lose|gained lost|male female|men women
man woman|father mother|son daughter|brother sister|husband wife|king queen|early late|earlier later|earliest latest
upper lower|high low|higher lower|large small|larger smaller|long short|longer shorter|old new|older younger
old young|strong weak|stronger weaker|hot cold|rich poor|richest poorest|public private|majority minority
positive negative|maximum minimum|ancient modern|major minor|left right|enter leave|entered left|allow forbid
allowed banned|accept reject|accepted rejected|support oppose|supported opposed|success failure|succeed fail
best worst|better worse|fast slow|fastest slowest|internal external|domestic foreign|buy sell|bought sold
birth death|born killed|attack defend|attacked defended|advantage disadvantage|like dislike|common rare
legal illegal|possible impossible|usually rarely|always never|included excluded|include exclude|victory defeat
""".replace("\n", "|")

NEGATIONS = {"is": "isn't", "are": "aren't", "was": "wasn't", "were": "weren't", "did": "didn't", "does": "doesn't",
             "do": "don't", "can": "can't", "could": "couldn't", "has": "hasn't", "have": "haven't", "had": "hadn't",
             "would": "wouldn't", "will": "won't", "should": "shouldn't"}


def opposites() -> dict[str, list[str]]:
    out = defaultdict(list)
    for pair in filter(None, OPPOSITES.split("|")):
        one, other = pair.split()
        out[one].append(other)
        out[other].append(one)
    return out


class Editor:
    def __init__(self, corpus: Corpus, seed: int) -> None:
        self.rng = random.Random(seed)
        self.opposites = opposites()
        self.names = [sorted(set(names_of(c.text))) for c in corpus.contexts]
        self.texts = [c.text for c in corpus.contexts]
        self.article = defaultdict(list)
        for index, context in enumerate(corpus.contexts):
            self.article[context.title].append(index)
        self.titles = [c.title for c in corpus.contexts]

    def edited(self, row: Row) -> list[str]:
        """At most one question of each kind; none equals the question, and none names its answer anew."""
        kinds = (self.other_name, self.other_number, self.opposite, self.negation)
        made = [edit(row) for edit in kinds]
        return [question for question in made if question and question != row.question]

    def other_name(self, row: Row) -> str | None:
        text = self.texts[row.context]
        # Not the first word, which is a capital for another reason.
        found = [m for m in NAME.finditer(row.question) if m.start() > 0 and m[0] in text and len(m[0]) > 2]
        if not found:
            return None
        chosen = self.rng.choice(found)
        near = self.article[self.titles[row.context]]
        # A name of the same passage is the harder one to see through.
        where = row.context if self.rng.random() < 0.6 else self.rng.choice(near)
        words = len(chosen[0].split())
        options = [name for name in self.names[where]
                   if name not in row.question and chosen[0] not in name and abs(len(name.split()) - words) <= 1
                   and not contains_answer(name, row.answers) and not any(contains_answer(a, (name,)) for a in row.answers)]
        return splice(row.question, chosen, self.rng.choice(options)) if options else None

    def other_number(self, row: Row) -> str | None:
        text = self.texts[row.context]
        found = [m for m in NUMBER.finditer(row.question) if m[0] in text]
        if found:
            chosen = self.rng.choice(found)
            return splice(row.question, chosen, self.another_number(chosen[0], text)) if len(chosen[0]) < 9 else None
        words = [m for m in re.finditer(r"\w+", row.question) if m.start() > 0]
        for cycle in (MONTHS, DAYS):
            dated = [m for m in words if m[0].lower() in cycle and m[0][0].isupper() and m[0] in text]
            if dated:
                chosen = self.rng.choice(dated)
                options = [w.capitalize() for w in cycle if w != chosen[0].lower()]
                return splice(row.question, chosen, self.rng.choice(options))
        return None

    def another_number(self, number: str, text: str) -> str:
        value = number.replace(",", "")
        for _ in range(8):
            if value.isdigit() and len(value) == 4 and "," not in number:
                made = str(int(value) + self.rng.choice([-1, 1]) * self.rng.randint(1, 30))
            else:
                digits = list(number)
                at = self.rng.choice([i for i, c in enumerate(digits) if c.isdigit()])
                digits[at] = self.rng.choice([c for c in "123456789" if c != digits[at]])
                made = "".join(digits)
            if made not in text:
                return made
        return number

    def opposite(self, row: Row) -> str | None:
        text = self.texts[row.context].lower()
        found = [m for m in re.finditer(r"\b[a-z]+\b", row.question) if m[0] in self.opposites]
        if not found:
            return None
        chosen = self.rng.choice(found)
        options = [w for w in self.opposites[chosen[0]] if not re.search(rf"\b{w}\b", text)]
        return splice(row.question, chosen, self.rng.choice(options)) if options else None

    def negation(self, row: Row) -> str | None:
        # The easiest kind to make and to see through, so it is made less often.
        found = [m for m in re.finditer(r"\b[a-z]+\b(?!['’])", row.question) if m[0] in NEGATIONS]
        if not found or self.rng.random() > NEGATED:
            return None
        return splice(row.question, found[0], NEGATIONS[found[0][0]])


def names_of(text: str) -> list[str]:
    """Capitalized runs that do not begin a sentence."""
    return [m[0] for m in NAME.finditer(text) if m.start() > 1 and text[m.start() - 2] not in ".!?\n" and len(m[0]) > 2]


def splice(question: str, match: re.Match, word: str) -> str:
    return question[: match.start()] + word + question[match.end() :]


def main() -> None:
    arguments = argparse.ArgumentParser()
    for name in ("config", "data", "out"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    options = arguments.parse_args()
    config = tomllib.loads(options.config.read_text())
    corpus = Corpus(options.data, config["sources"])
    train, _ = corpus.split(config["dev_rows"], config["seed"])
    editor = Editor(corpus, config["seed"])
    with options.out.open("w", encoding="utf-8") as out:
        for row in train:
            out.write(json.dumps(editor.edited(row) if row.answers else [], ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
