"""Programs and machines: settings, error codes, fact sheets."""

from invented.maker import NO_ANSWER, Maker, Row, capital, forms


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
    title = maker.heading(rng.choice(rules["titles"]))
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
    title, context = maker.heading(rng.choice(rules["titles"])), "\n".join(lines)
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
    title = maker.heading(rng.choice(rules["titles"]), n=name)
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


def of_readmes(maker: Maker) -> Row:
    """A section of a package's README, asked about that package or another one."""
    rng, rules = maker.rng, maker.rules["readmes"]
    name, other = (maker.invented() + rng.choice(rules["suffixes"]) for _ in range(2))
    section, *more = rng.sample(rules["section"], rng.choice([1, 1, 2]))
    told, answer = section_of(maker, section, name)
    heading = rng.choice(section["heading"])
    parts = [told]
    for each in more:
        parts.append(f"## {rng.choice(each['heading'])}\n\n{section_of(maker, each, name)[0]}")
    fill = rng.sample(rules["filler"], rng.randint(0, 3))
    before = "\n".join(
        line.format(n=name, o=maker.invented(), w=rng.choice(rules["subjects"])) for line in fill
    )
    if rng.random() < 0.5:
        parts[0] = f"{'#' * rng.randint(2, 3)} {heading}\n\n{parts[0]}"
    context = "\n\n".join([before, *parts] if before and rng.random() < 0.7 else parts)
    shown = capital(name) if rng.random() < 0.15 else name.replace("-", " ") if rng.random() < 0.1 else name
    title = rng.choice(
        [f"{shown} > {heading}", f"{shown} > {heading}", shown, f"{shown} > Guide > {heading}"]
    )
    draw = rng.random()
    if draw < 0.42:
        asked = rng.choice([section, section, rng.choice(rules["section"])])
        return Row(rng.choice(asked["ask"]).format(n=other), context, NO_ANSWER, "readme-other", title)
    if draw < 0.5:
        absent = [
            each for each in rules["section"] if each["ask"][0] not in {s["ask"][0] for s in (section, *more)}
        ]
        asked = rng.choice(
            [each for each in absent if "icens" not in context or "icens" not in each["ask"][0]]
        )
        return Row(rng.choice(asked["ask"]).format(n=name), context, NO_ANSWER, "readme-absent", title)
    return Row(rng.choice(section["ask"]).format(n=name), context, [answer], "readme", title)


def section_of(maker: Maker, section: dict, name: str) -> tuple[str, str]:
    """A section, and the value that it gives."""
    value, other = maker.unlike(section["values"], maker.style())
    value = value.format(n=name)
    said = maker.rng.choice(section["say"])
    return said.format(n=name, v=value, u=other, t=other, p=maker.value("person", {})[0]), value
