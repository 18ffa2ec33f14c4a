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
