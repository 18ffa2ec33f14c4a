"""Documents made up by rules, and questions of them: tables, lists, settings, steps, exceptions, fact sheets.

    invented.py --rules invented.toml --rows 60000 --seed 1 --out FILE.jsonl.xz

Rows are as in train.jsonl.xz, with the source `invented`; a fifth of them is not answered by its passage although it is
about the same things: the value asked for is another thing's, another attribute's, or another document's.  Tables are
written as the reader is shown them (reader/shown.rs).  Every name and number is drawn: nothing is from a test set.
"""

import argparse
import json
import lzma
import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SYLLABLES = """
ba be bra co da del dor el fa fen gal hal ir jo ka kel la lin lo mar mel na no or pa per ra rin ro
sa sel ta tor ul va ve vi wen zo
""".split()
FIRST = """
Ada Ben Carla Dan Eva Finn Greta Hugo Ines Jonas Karin Leo Mara Nils Olga Paul Quentin Rosa Sven
Tara Uwe Vera Wim Yara Zoe Amir Bao Chidi Divya Emeka
""".split()
LAST = """
Abbott Baker Castro Dahl Eriksen Fuchs Gomes Hartl Ito Jansen Keller Lund Moreau Novak Okafor Petrov
Quinn Rossi Sato Tamm Ueda Vogel Walsh Yilmaz Zeller Brandt Costa Dubois
""".split()
MONTHS = """
January February March April May June July August September October November December
""".split()
ORDINALS = "first second third fourth fifth sixth seventh".split()
CURRENCIES = ["£{}", "${}", "€{}", "{} €", "{} EUR", "EUR {}", "£{}", "${}"]
NO_ANSWER: list[str] = []


@dataclass
class Row:
    question: str
    context: str
    answers: list[str]
    kind: str
    title: str


class Maker:
    """Draws names and values."""

    def __init__(self, rng: random.Random, rules: dict) -> None:
        self.rng, self.rules = rng, rules
        self.names = {key: names.split("|") for key, names in rules["names"].items()}

    def invented(self) -> str:
        return "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randint(2, 3)))

    def filled(self, template: str, **known: str) -> str:
        """A title or heading with its firm or product."""
        known.setdefault("org", self.invented().capitalize())
        known.setdefault("product", self.invented().capitalize() + self.rng.choice(["", " 2", " X", " mini"]))
        return template.format(**known)

    def value(self, spec: str, style: dict) -> tuple[str, float | None]:
        """A value as it is written, and the number that it is compared by."""
        rng = self.rng
        kind, *parts = spec.split(":")
        if kind == "int":
            low, high, step = (int(p) for p in parts)
            number = rng.randrange(low, high + 1, step)
            return (f"{number:,}" if style["commas"] and number > 999 else str(number)), number
        if kind == "money":
            low, high = (int(p) for p in parts)
            number = (
                rng.randint(low, high) if rng.random() < 0.75 else rng.randint(low * 100, high * 100) / 100
            )
            text = (
                f"{number:,.2f}"
                if isinstance(number, float)
                else (f"{number:,}" if style["commas"] else str(number))
            )
            return style["currency"].format(text), number
        if kind == "decimal":
            number = round(rng.uniform(float(parts[0]), float(parts[1])), rng.choice([1, 2]))
            return str(number), number
        if kind == "duration":
            number = rng.randint(int(parts[1]), int(parts[2]))
            unit = parts[0] if number != 1 else parts[0].removesuffix("s")
            return f"{number} {unit}", number
        if kind == "percent":
            number = rng.randint(int(parts[0]), int(parts[1]))
            return f"{number}{style['percent']}", number
        if kind == "choice":
            return rng.choice(parts[0].split("|")), None
        if kind == "time":
            hour, minute = rng.randint(int(parts[0]), int(parts[1]) - 1), rng.choice([0, 0, 15, 30, 45])
            return f"{hour}:{minute:02}", hour * 60 + minute
        if kind == "hours":
            return (
                f"{rng.randint(6, 11)}:{rng.choice(['00', '30'])} to {rng.randint(14, 22)}:{rng.choice(['00', '30'])}",
                None,
            )
        if kind == "year":
            number = rng.randint(1890, 2025)
            return str(number), number
        if kind == "date":
            day, month, year = rng.randint(1, 28), rng.randrange(12), rng.randint(2021, 2027)
            forms = [
                f"{day} {MONTHS[month]}",
                f"{day} {MONTHS[month]} {year}",
                f"{MONTHS[month]} {day}, {year}",
                f"{year}-{month + 1:02}-{day:02}",
            ]
            return forms[style["date"]], year * 400 + month * 31 + day
        if kind == "month":
            return rng.choice(MONTHS), None
        if kind == "weekday":
            return rng.choice(self.names["weekdays"]), None
        if kind == "person":
            return f"{rng.choice(FIRST)} {rng.choice(LAST)}", None
        if kind == "email":
            return f"{rng.choice(FIRST).lower()}@{self.invented()}.example", None
        if kind == "host":
            return f"{self.invented()}-{rng.randint(1, 9)}.{self.invented()}.example", None
        if kind == "path":
            return rng.choice(
                ["/etc/", "/var/lib/", "~/.config/", "conf/", "/opt/"]
            ) + self.invented() + rng.choice(["", ".toml", ".yml", ".conf", "/data"]), None
        if kind == "code":
            return f"{rng.choice(parts[0])}{rng.randint(int(parts[1]), int(parts[2]))}", None
        if kind == "version":
            return ".".join(
                str(rng.randint(0 if i else 1, 80 if i == 1 else 9)) for i in range(rng.choice([2, 3]))
            ), None
        raise ValueError(spec)

    def style(self) -> dict:
        """How one document writes its values."""
        rng = self.rng
        return {
            "commas": rng.random() < 0.6,
            "currency": rng.choice(CURRENCIES),
            "percent": rng.choice(["%", " %", " percent"]),
            "date": rng.randrange(4),
        }


@dataclass
class Attribute:
    rule: dict
    name: str
    unit: str
    values: list[str]
    numbers: list[float | None]


@dataclass
class Things:
    """A set of things with their values: what one document says."""

    rule: dict
    column: str
    names: list[str]
    attributes: list[Attribute]
    title: str


def things(maker: Maker, rule: dict) -> Things:
    rng = maker.rng
    names = maker.names[rule["things"].removeprefix("names:")]
    chosen = rng.sample(names, rng.randint(3, 7))
    rules = rng.sample(rule["attributes"], rng.randint(2, min(5, len(rule["attributes"]))))
    style, attributes = maker.style(), []
    for each in rules:
        unit = rng.choice(each.get("unit", [""]))
        drawn = [maker.value(each["value"], style) for _ in chosen]
        attributes.append(
            Attribute(
                each, rng.choice(each["name"]), unit, [f"{v}{unit}" for v, _ in drawn], [n for _, n in drawn]
            )
        )
    return Things(
        rule, rng.choice(rule["columns"]), chosen, attributes, maker.filled(rng.choice(rule["titles"]))
    )


def phrase(maker: Maker, rule: dict, name: str) -> str:
    return maker.rng.choice(rule["phrases"]).format(n=name, l=lowered(name))


def lowered(name: str) -> str:
    """As it is written in a sentence; "Van A" and "Soil science" keep what is a name."""
    return name if name[1:] != name[1:].lower() and " " not in name else name[0].lower() + name[1:]


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def as_table(maker: Maker, it: Things) -> str:
    """As reader/shown.rs shows a table."""
    lines = []
    for at, name in enumerate(it.names):
        label = f"{it.column}: {name}" if it.column else name
        lines.append("; ".join([label, *(f"{a.name}: {a.values[at]}" for a in it.attributes)]) + ".")
    before = f"{capital(it.rule['kind'])}s at a glance.\n\n" if maker.rng.random() < 0.15 else ""
    return before + "\n".join(lines) + "\n"


def as_bars(maker: Maker, it: Things) -> str:
    """As the text of a web page has a table of few columns."""
    lines = [" | ".join([it.column or capital(it.rule["kind"]), *(a.name for a in it.attributes)])]
    lines += [" | ".join([name, *(a.values[at] for a in it.attributes)]) for at, name in enumerate(it.names)]
    return "\n".join(lines)


def as_list(maker: Maker, it: Things) -> str:
    mark, joint = maker.rng.choice(["- ", "* ", "• "]), maker.rng.choice([", ", "; "])
    named = maker.rng.random() < 0.7
    bold = "**" if maker.rng.random() < 0.3 else ""
    lines = []
    for at, name in enumerate(it.names):
        told = [
            f"{a.name.lower()} {a.values[at]}" if named else f"{a.values[at]} ({a.name.lower()})"
            for a in it.attributes
        ]
        lines.append(f"{mark}{bold}{name}{bold}: {joint.join(told)}")
    return "\n".join(lines)


def as_prose(maker: Maker, it: Things) -> str:
    said = []
    for at, name in enumerate(it.names):
        for attribute in it.attributes:
            x = phrase(maker, it.rule, name)
            said.append(
                capital(
                    maker.rng.choice(attribute.rule["say"]).format(
                        x=x,
                        X=capital(x),
                        v=attribute.values[at],
                        n=name,
                        l=lowered(name),
                        a=attribute.name.lower(),
                    )
                )
            )
    if maker.rng.random() < 0.3:
        maker.rng.shuffle(said)
    return " ".join(said)


def as_sections(maker: Maker, it: Things) -> str:
    parts = []
    for at, name in enumerate(it.names):
        parts.append("\n".join([name, *(f"{a.name}: {a.values[at]}" for a in it.attributes)]))
    return "\n\n".join(parts)


LAYOUTS = [(as_table, 0.45), (as_list, 0.2), (as_prose, 0.2), (as_sections, 0.08), (as_bars, 0.07)]


def asked(maker: Maker, it: Things, attribute: Attribute, name: str) -> str:
    rng = maker.rng
    if rng.random() < 0.25:
        template = rng.choice(attribute.rule["short"])
    else:
        template = rng.choice(attribute.rule["ask"])
    return template.format(x=phrase(maker, it.rule, name), n=name, l=lowered(name), a=attribute.name.lower())


def forms(value: str, unit: str) -> list[str]:
    """The value as it stands, and without its unit."""
    bare = value.removesuffix(unit) if unit else value
    return [value] if bare == value else [value, bare]


def of_things(maker: Maker) -> Row:
    rng = maker.rng
    it = things(maker, rng.choice(maker.rules["subject"]))
    layout = rng.choices([f for f, _ in LAYOUTS], [w for _, w in LAYOUTS])[0]
    context, kind = layout(maker, it), layout.__name__.removeprefix("as_")
    draw = rng.random()
    attribute = rng.choice(it.attributes)
    at = rng.randrange(len(it.names))
    if draw < 0.14:
        ranked = [
            a for a in it.attributes if ("most" in a.rule or "least" in a.rule) and None not in a.numbers
        ]
        if ranked:
            attribute = rng.choice(ranked)
            way = rng.choice([w for w in ("most", "least") if w in attribute.rule])
            best = (max if way == "most" else min)(attribute.numbers)
            if attribute.numbers.count(best) == 1:
                name = it.names[attribute.numbers.index(best)]
                return Row(rng.choice(attribute.rule[way]), context, [name], f"{kind}-{way}", it.title)
    if draw < 0.24:
        value = attribute.values[at]
        if attribute.values.count(value) == 1:
            what = it.rule["kind"]
            question = rng.choice(
                [
                    f"Which {what} has {value} for {attribute.name.lower()}?",
                    f"For which {what} is the {attribute.name.lower()} {value}?",
                    f"Which {what}: {attribute.name.lower()} {value}?",
                ]
            )
            return Row(question, context, [it.names[at]], f"{kind}-reverse", it.title)
    if draw < 0.40:
        others = [n for n in maker.names[it.rule["things"].removeprefix("names:")] if n not in it.names]
        absent = [a for a in it.rule["attributes"] if all(a is not b.rule for b in it.attributes)]
        if rng.random() < 0.6 or not absent:
            return Row(
                asked(maker, it, attribute, rng.choice(others)),
                context,
                NO_ANSWER,
                f"{kind}-other-thing",
                it.title,
            )
        rule = rng.choice(absent)
        missing = Attribute(rule, rng.choice(rule["name"]), "", [], [])
        return Row(
            asked(maker, it, missing, it.names[at]), context, NO_ANSWER, f"{kind}-other-attribute", it.title
        )
    return Row(
        asked(maker, it, attribute, it.names[at]),
        context,
        forms(attribute.values[at], attribute.unit),
        kind,
        it.title,
    )


def of_settings(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["settings"]
    chosen, style = rng.sample(rules["names"], rng.randint(3, 7)), maker.style()
    flag = rng.choice(["--", "--", "", "`"])
    write = {"--": "--{}", "": "{}", "`": "`{}`"}[flag]
    values = [maker.value(spec, style)[0] + unit for _, _, spec, unit in chosen]
    form = rng.randrange(4)
    lines = []
    for (name, does, _, _), value in zip(chosen, values, strict=True):
        option = write.format(name)
        lines.append(
            [
                f"{option}: {does} (default: {value})",
                f"Option: {option}; Default: {value}; Meaning: {does}.",
                f"- {option}: {capital(does)}. Default: {value}.",
                f"{option} = {value}  # {does}",
            ][form]
        )
    title = maker.filled(rng.choice(rules["titles"]))
    context = "\n".join(lines)
    draw, at = rng.random(), rng.randrange(len(chosen))
    name, does, _, unit = chosen[at]

    def ask(name: str, does: str) -> str:
        template = rng.choice(rules["short"] if rng.random() < 0.3 else rules["ask"])
        return template.format(o=name, d=does, w=name.replace("-", " "))

    if draw < 0.2:
        return Row(
            rng.choice(rules["which"]).format(d=does),
            context,
            [write.format(name), name],
            "settings-which",
            title,
        )
    if draw < 0.42:
        name, does, *_ = rng.choice([each for each in rules["names"] if each not in chosen])
        return Row(ask(name, does), context, NO_ANSWER, "settings-absent", title)
    return Row(ask(name, does), context, forms(values[at], unit), "settings", title)


def of_errors(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["errors"]
    chosen = rng.sample(rules["rows"], rng.randint(3, 7))
    prefix, base = rng.choice(["E", "E-", "F", "", "ERR"]), rng.choice([1, 10, 100, 400])
    codes = [f"{prefix}{base + n}" for n in sorted(rng.sample(range(60), len(chosen) + 1))]
    absent = codes.pop(rng.randrange(len(codes)))
    form = rng.randrange(3)
    lines = [
        [
            f"Code: {code}; Meaning: {means}; What to do: {cure}.",
            f"- {code}: {means}; {cure}.",
            f"{code}: {capital(means)}. {capital(cure)}.",
        ][form]
        for code, (means, cure) in zip(codes, chosen, strict=True)
    ]
    title, context = maker.filled(rng.choice(rules["titles"])), "\n".join(lines)
    at, draw = rng.randrange(len(chosen)), rng.random()
    code, (means, cure) = codes[at], chosen[at]

    def what(code: str) -> str:
        wrong = f"The display shows {code}. What is wrong?"
        return rng.choice(
            [f"What does {code} mean?", f"What is error {code}?", f"error {code} meaning", wrong]
        )

    def cures(code: str) -> str:
        return rng.choice([f"What helps against {code}?", f"What do I do about error {code}?", f"fix {code}"])

    if draw < 0.2:
        return Row(rng.choice([what, cures])(absent), context, NO_ANSWER, "errors-absent", title)
    if draw < 0.5:
        return Row(what(code), context, [means], "errors", title)
    if draw < 0.75:
        return Row(cures(code), context, [cure], "errors-cure", title)
    return Row(
        rng.choice(
            [
                f"Which code means that {means}?",
                f"Which error says that {means}?",
                f"What code is shown when {means}?",
            ]
        ),
        context,
        [code],
        "errors-code",
        title,
    )


def of_steps(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["steps"]
    goal, steps = rng.choice(rules["goals"])
    steps = steps[: rng.randint(3, len(steps))]
    mark = rng.choice(["{}. ", "{}) ", "Step {}: "])
    context = "\n".join(f"{mark.format(n + 1)}{step}." for n, step in enumerate(steps))
    title = maker.filled(rng.choice(rules["titles"]).format(g=goal))
    at, draw = rng.randrange(len(steps)), rng.random()
    if draw < 0.18:
        place = rng.choice(range(len(steps), 7)) if len(steps) < 7 else None
        other = rng.choice([g for g, _ in rules["goals"] if g != goal])
        if place is not None and rng.random() < 0.5:
            return Row(
                f"What is the {ORDINALS[place]} step to {goal}?", context, NO_ANSWER, "steps-absent", title
            )
        return Row(f"What is the {ORDINALS[at]} step to {other}?", context, NO_ANSWER, "steps-other", title)
    if draw < 0.5:
        ask = [
            f"What is the {ORDINALS[at]} step to {goal}?",
            f"What do I do {ORDINALS[at]} to {goal}?",
            f"Step {at + 1} of how to {goal}?",
            f"{ORDINALS[at]} step {goal}",
        ]
        return Row(rng.choice(ask), context, [steps[at]], "steps", title)
    if draw < 0.75 and at > 0:
        before = lowered(steps[at - 1])
        return Row(
            rng.choice(
                [
                    f"To {goal}, what comes after you {before}?",
                    f"What do I do once I {before}?",
                    f'Which step follows "{before}"?',
                ]
            ),
            context,
            [steps[at]],
            "steps-after",
            title,
        )
    if at + 1 < len(steps):
        after = lowered(steps[at + 1])
        return Row(
            rng.choice(
                [f"To {goal}, what comes before you {after}?", f"What has to be done before I {after}?"]
            ),
            context,
            [steps[at]],
            "steps-before",
            title,
        )
    return Row(
        rng.choice([f"What is the last step to {goal}?", f"What comes last to {goal}?"]),
        context,
        [steps[-1]],
        "steps-last",
        title,
    )


def of_exceptions(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["exceptions"]
    chosen, style = rng.sample(rules["rows"], rng.randint(2, 4)), maker.style()
    said, values = [], []
    for usual, exception, how, spec, *_ in chosen:
        v, w = maker.value(spec, style)[0], maker.value(spec, style)[0]
        while w == v:
            w = maker.value(spec, style)[0]
        values.append((v, w))
        said.append(f"{usual.format(v=v)}, except {exception}, {how.format(w=w)}.")
    title, at = maker.filled(rng.choice(rules["titles"])), rng.randrange(len(chosen))
    context = rng.choice([" ", "\n- "]).join(said)
    (v, w), (_, exception, _, _, ask, ask_exception) = values[at], chosen[at]
    draw = rng.random()
    if draw < 0.2:
        row = rng.choice([row for row in rules["rows"] if row not in chosen])
        return Row(
            rng.choice([row[4], row[5].format(e=row[1])]), context, NO_ANSWER, "exceptions-absent", title
        )
    if draw < 0.6:
        return Row(ask_exception.format(e=exception), context, [w], "exceptions-exception", title)
    return Row(ask, context, [v], "exceptions", title)


def of_sheets(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["sheets"]
    name = maker.invented() + rng.choice(["", "-rs", "_core", "-cli", "lib", "kit"])
    facts, style = rng.sample(rules["facts"], rng.randint(2, 5)), maker.style()
    values = [maker.value(spec, style)[0] for _, spec, *_ in facts]
    told = [
        rng.choice(say).format(n=name, N=capital(name), v=v)
        for (_, _, _, say), v in zip(facts, values, strict=True)
    ]
    told += rng.sample(rules["filler"], rng.randint(1, 4))
    rng.shuffle(told)
    context = rng.choice([" ", "\n", "\n- "]).join(told)
    title = maker.filled(rng.choice(rules["titles"]), n=name)
    at, draw = rng.randrange(len(facts)), rng.random()
    if draw < 0.3:
        other = maker.invented() + rng.choice(["", "-rs", "_core", "-cli", "lib", "kit"])
        return Row(rng.choice(facts[at][2]).format(n=other), context, NO_ANSWER, "sheets-other", title)
    if draw < 0.42:
        absent = [fact for fact in rules["facts"] if fact not in facts]
        return Row(
            rng.choice(rng.choice(absent)[2]).format(n=name), context, NO_ANSWER, "sheets-absent", title
        )
    return Row(rng.choice(facts[at][2]).format(n=name), context, [values[at]], "sheets", title)


MAKERS: list[tuple[Callable[[Maker], Row], float]] = [
    (of_things, 0.55),
    (of_settings, 0.12),
    (of_errors, 0.08),
    (of_steps, 0.09),
    (of_exceptions, 0.06),
    (of_sheets, 0.10),
]


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


def written(question: str, rng: random.Random) -> str:
    """As people write: mostly as it is, some without capitals, some with a slip."""
    draw = rng.random()
    if draw < 0.12:
        return question.lower().rstrip("?")
    if draw < 0.18:
        return mistyped(question, rng)
    return question


def rows(rules: dict, count: int, seed: int):
    rng = random.Random(seed)
    maker = Maker(rng, rules)
    for number in range(count):
        row = rng.choices([make for make, _ in MAKERS], [weight for _, weight in MAKERS])[0](maker)
        if row.answers and row.answers[0].lower() not in row.context.lower():
            raise AssertionError(f"{row.kind}: {row.answers[0]!r} is not in {row.context!r}")
        yield {
            "id": f"invented:{seed}-{number}",
            "question": written(row.question, rng),
            "context": row.context,
            "answers": row.answers,
            "source": "invented",
            "kind": "extractive" if row.answers else "unanswerable",
            "title": row.title,
            "form": row.kind,
        }


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rules", type=Path, required=True)
    arguments.add_argument("--rows", type=int, required=True)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path, required=True)
    options = arguments.parse_args()
    with lzma.open(options.out, "wt", encoding="utf-8", preset=1) as out:
        for row in rows(tomllib.loads(options.rules.read_text(encoding="utf-8")), options.rows, options.seed):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
