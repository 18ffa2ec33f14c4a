"""Sets of things with a value for each attribute, as tables, lists, prose, sections."""

from dataclasses import dataclass

from invented.maker import NO_ANSWER, Maker, Row, capital, forms, lowered

# Kinds of things that people make names up for.
NAMED = {
    "plan",
    "room",
    "branch",
    "programme",
    "course",
    "supplier",
    "team",
    "show",
    "medicine",
    "hike",
    "job",
    "server",
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
    chosen = rng.sample(names, min(rng.randint(3, 7), len(names)))
    if rule["kind"] in NAMED and rng.random() < 0.3:
        chosen = [maker.invented().capitalize() for _ in chosen]
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
        rule, rng.choice(rule["columns"]), chosen, attributes, maker.heading(rng.choice(rule["titles"]))
    )


def phrase(maker: Maker, rule: dict, name: str) -> str:
    return maker.rng.choice(rule["phrases"]).format(n=name, l=lowered(name))


def as_table(maker: Maker, it: Things) -> str:
    """As reader/shown.rs shows a table."""
    lines = []
    for at, name in enumerate(it.names):
        label = f"{it.column}: {name}" if it.column else name
        lines.append("; ".join([label, *(f"{a.name}: {a.values[at]}" for a in it.attributes)]) + ".")
    before = (
        maker.rng.choice(["At a glance.\n\n", "See below.\n\n", "Valid until further notice.\n\n"])
        if maker.rng.random() < 0.2
        else ""
    )
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


def of_profiles(maker: Maker) -> Row:
    """One thing, named in the title alone: a question about another one has no answer."""
    rng = maker.rng
    rule = rng.choice(maker.rules["subject"])
    name, other = rng.sample(maker.names[rule["things"].removeprefix("names:")], 2)
    style = maker.style()
    rules = rng.sample(rule["attributes"], rng.randint(2, min(5, len(rule["attributes"]))))
    values = [maker.value(each["value"], style)[0] + rng.choice(each.get("unit", [""])) for each in rules]
    told = rng.choice([told_as_prose, told_as_lines, told_as_cells])
    context = told(maker, rule, list(zip(rules, values, strict=True)))
    title = rng.choice(
        [
            name,
            f"{name} ({rule['kind']})",
            f"{maker.filled(rng.choice(rule['titles']))} > {name}",
            f"{capital(rule['kind'])}: {name}",
        ]
    )
    at, draw = rng.randrange(len(rules)), rng.random()

    def ask(each: dict, name: str) -> str:
        template = rng.choice(each["short"] if rng.random() < 0.25 else each["ask"])
        return template.format(
            x=phrase(maker, rule, name), n=name, l=lowered(name), a=each["name"][0].lower()
        )

    if draw < 0.4:
        return Row(ask(rules[at], other), context, NO_ANSWER, "profile-other", title)
    if draw < 0.5:
        absent = [each for each in rule["attributes"] if all(each is not one for one in rules)]
        if absent:
            return Row(ask(rng.choice(absent), name), context, NO_ANSWER, "profile-absent", title)
    return Row(ask(rules[at], name), context, [values[at]], "profile", title)


def told_as_prose(maker: Maker, rule: dict, held: list[tuple[dict, str]]) -> str:
    it = f"this {rule['kind']}"
    known = {"x": it, "X": capital(it), "n": it, "l": it}
    return " ".join(
        capital(maker.rng.choice(each["say"]).format(v=value, a=each["name"][0].lower(), **known))
        for each, value in held
    )


def told_as_lines(maker: Maker, rule: dict, held: list[tuple[dict, str]]) -> str:
    mark = maker.rng.choice(["", "- ", "* "])
    return "\n".join(f"{mark}{maker.rng.choice(each['name'])}: {value}" for each, value in held)


def told_as_cells(maker: Maker, rule: dict, held: list[tuple[dict, str]]) -> str:
    """As a page's table of two columns, which has no header."""
    return "\n".join(f"{maker.rng.choice(each['name'])} | {value}" for each, value in held)
