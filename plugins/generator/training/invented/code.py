"""Configuration files, commands, functions, addresses: what stands in code, asked in words."""

from collections.abc import Callable

from invented.maker import NO_ANSWER, Maker, Row, capital


INTRODUCTIONS = [
    "This is what we use",
    "An example",
    "The defaults are these",
    "Put this beside the program",
    "Copy the file and change what you need",
]


def fenced(maker: Maker, language: str, text: str) -> str:
    draw = maker.rng.random()
    if draw < 0.6:
        return f"```{language}\n{text}\n```"
    return f"```\n{text}\n```" if draw < 0.75 else text


def of_config(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["config"]
    style = {**maker.style(), "commas": False}
    sections = rng.sample(rules["sections"], rng.randint(1, 3))
    held: dict[str, list[tuple[str, str, str]]] = {}
    for section in sections:
        keys = rng.sample(rules["keys"], rng.randint(2, 5))
        held[section] = [(key, words, maker.value(spec, style)[0]) for key, words, spec in keys]
    write = rng.choice([as_toml, as_yaml, as_json, as_ini, as_environment, as_python])
    context = write(maker, held)
    if rng.random() < 0.5:
        context = f"{rng.choice(INTRODUCTIONS)}:\n\n{context}"
    title = maker.heading(rng.choice(rules["titles"]))
    section = rng.choice(sections)
    key, words, value = rng.choice(held[section])
    draw = rng.random()

    def ask(section: str, key: str, words: str) -> str:
        asks = [
            f"What is the {words} of the {section}?",
            f"Which {words} does the {section} have?",
            f"What is `{key}` of {section} set to?",
            f"{section} {words}",
            f"What value does {section}.{key} have?",
            f"What is the {words} in the {section} section?",
            f"{section} {key} value",
            f"To what is the {words} of the {section} set?",
        ]
        if len(sections) == 1:
            asks += [f"What is the {words}?", f"What is {key} set to?"]
        return rng.choice(asks)

    if draw < 0.18:
        if rng.random() < 0.4:
            section = rng.choice([each for each in rules["sections"] if each not in sections])
            return Row(
                f"What is the {words} of the {section}?", context, NO_ANSWER, "config-other-section", title
            )
        known = {each for each, _, _ in held[section]}
        key, words, _ = rng.choice([each for each in rules["keys"] if each[0] not in known])
        return Row(ask(section, key, words), context, NO_ANSWER, "config-absent", title)
    return Row(ask(section, key, words), context, [value], "config", title)


def bare(value: str) -> bool:
    return value.replace(".", "", 1).isdigit()


def quoted(value: str) -> str:
    return value if bare(value) else f'"{value}"'


def as_toml(maker: Maker, held: dict) -> str:
    parts = [
        "\n".join([f"[{section}]", *(f"{key} = {quoted(value)}" for key, _, value in rows)])
        for section, rows in held.items()
    ]
    return fenced(maker, "toml", "\n\n".join(parts))


def as_yaml(maker: Maker, held: dict) -> str:
    parts = [
        "\n".join([f"{section}:", *(f"  {key}: {value}" for key, _, value in rows)])
        for section, rows in held.items()
    ]
    return fenced(maker, maker.rng.choice(["yaml", "yml"]), "\n".join(parts))


def as_json(maker: Maker, held: dict) -> str:
    parts = [
        f'  "{section}": {{\n'
        + ",\n".join(f'    "{key}": {quoted(value)}' for key, _, value in rows)
        + "\n  }"
        for section, rows in held.items()
    ]
    return fenced(maker, "json", "{\n" + ",\n".join(parts) + "\n}")


def as_ini(maker: Maker, held: dict) -> str:
    parts = [
        "\n".join(
            [
                f"[{section}]",
                *(
                    f"{key}={value}  ; {words}" if maker.rng.random() < 0.3 else f"{key}={value}"
                    for key, words, value in rows
                ),
            ]
        )
        for section, rows in held.items()
    ]
    return fenced(maker, "ini", "\n".join(parts))


def as_environment(maker: Maker, held: dict) -> str:
    lines = [
        f"{section.upper()}_{key.upper()}={value}" for section, rows in held.items() for key, _, value in rows
    ]
    export = "export " if maker.rng.random() < 0.3 else ""
    return fenced(maker, "sh", "\n".join(export + line for line in lines))


def as_python(maker: Maker, held: dict) -> str:
    lines = [
        f"{section.upper()}_{key.upper()} = {quoted(value)}  # {words}"
        for section, rows in held.items()
        for key, words, value in rows
    ]
    return fenced(maker, "python", "\n".join(lines))


def of_commands(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["commands"]
    chosen = rng.sample(rules["rows"], rng.randint(2, 6))
    a, b = maker.invented(), maker.invented()
    calls = [call.format(a=a, b=b, d=rng.randint(1, 99)) for _, call in chosen]
    form = rng.randrange(4)
    pairs = [(task, call) for (task, _), call in zip(chosen, calls, strict=True)]
    if form == 0:
        context = fenced(
            maker,
            rng.choice(["sh", "bash", "console"]),
            "\n".join(f"# {task}\n{call}" for task, call in pairs),
        )
    elif form == 1:
        context = "\n".join(f"- `{call}`: {task}" for task, call in pairs)
    elif form == 2:
        context = "\n\n".join(f"To {task}:\n\n```sh\n{call}\n```" for task, call in pairs)
    else:
        context = "\n".join(f"Task: {capital(task)}; Command: `{call}`." for task, call in pairs)
    title = maker.heading(rng.choice(rules["titles"]))
    task, call = rng.choice(pairs)
    draw = rng.random()
    if draw < 0.18:
        task, _ = rng.choice([row for row in rules["rows"] if row not in chosen])
        return Row(rng.choice(rules["ask"]).format(t=task), context, NO_ANSWER, "commands-absent", title)
    if draw < 0.32:
        return Row(
            rng.choice([f"What does `{call}` do?", f"What is {call} for?"]),
            context,
            [task if task in context else capital(task)],
            "commands-what",
            title,
        )
    template = rng.choice(rules["short"] if rng.random() < 0.25 else rules["ask"])
    return Row(template.format(t=task), context, [call], "commands", title)


def of_endpoints(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["endpoints"]
    thing, other = rng.sample(rules["objects"], 2)
    rows = [
        (does.format(o=o), call.format(o=o))
        for o in (thing, other)
        for does, call in rng.sample(rules["rows"], rng.randint(2, 4))
    ]
    form = rng.randrange(3)
    lines = [
        [
            f"- `{call}` {does}",
            f"{call}\n: {capital(does)}.",
            f"Endpoint: {call}; What it does: {capital(does)}.",
        ][form]
        for does, call in rows
    ]
    context, title = "\n".join(lines), maker.heading(rng.choice(rules["titles"]))
    does, call = rng.choice(rows)
    draw = rng.random()
    if draw < 0.18:
        third = rng.choice([o for o in rules["objects"] if o not in (thing, other)])
        return Row(
            f"Which endpoint {rng.choice(rules['rows'])[0].format(o=third)}?",
            context,
            NO_ANSWER,
            "endpoints-absent",
            title,
        )
    if draw < 0.4:
        return Row(
            rng.choice([f"What does {call} do?", f"{call} meaning"]),
            context,
            [does if does in context else capital(does)],
            "endpoints-what",
            title,
        )
    return Row(
        rng.choice(
            [
                f"Which endpoint {does}?",
                f"Which request {does}?",
                f"What do I call if I want something that {does}?",
            ]
        ),
        context,
        [call],
        "endpoints",
        title,
    )


def of_functions(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["functions"]
    made, style = {}, {**maker.style(), "commas": False}
    for _ in range(rng.randint(1, 3)):
        name = f"{rng.choice(rules['verbs'])}_{rng.choice(rules['nouns'])}"
        parameters = [
            (p, maker.value(spec, style)[0]) for p, spec in rng.sample(rules["parameters"], rng.randint(1, 3))
        ]
        made[name] = (
            parameters,
            rng.choice(rules["returns"]),
            rng.choice(rules["raises"]),
            rng.choice(rules["when"]),
        )
    parts = []
    for name, (parameters, gives, error, when) in made.items():
        call = f"{name}({', '.join(['source', *(f'{p}={v}' for p, v in parameters)])})"
        parts.append(
            rng.choice(
                [
                    f'def {call}:\n    """Returns {gives}. Raises {error} {when}."""',
                    f"### `{call}`\n\nReturns {gives}. Raises `{error}` {when}.",
                    f"`{call}` returns {gives}; it raises {error} {when}.",
                ]
            )
        )
    context, title = "\n\n".join(parts), maker.heading(rng.choice(rules["titles"]))
    name = rng.choice(list(made))
    parameters, gives, error, when = made[name]
    parameter, value = rng.choice(parameters)
    draw = rng.random()
    if draw < 0.1:
        known = {p for p, _ in parameters}
        absent = rng.choice([p for p, _ in rules["parameters"] if p not in known])
        return Row(
            f"What is the default of {absent} in {name}?", context, NO_ANSWER, "functions-absent", title
        )
    if draw < 0.18:
        return Row(
            f"What does {rng.choice(rules['verbs'])}_{maker.invented()} return?",
            context,
            NO_ANSWER,
            "functions-other",
            title,
        )
    if draw < 0.5:
        return Row(
            rng.choice(
                [
                    f"What is the default of {parameter} in {name}?",
                    f"What default does `{parameter}` of {name} have?",
                    f"{name} {parameter} default",
                    f"If I do not pass {parameter} to {name}, what is it?",
                ]
            ),
            context,
            [value],
            "functions",
            title,
        )
    if draw < 0.72:
        return Row(
            rng.choice([f"What does {name} return?", f"What do I get from {name}?", f"{name} return value"]),
            context,
            [gives],
            "functions-returns",
            title,
        )
    if draw < 0.88:
        return Row(
            rng.choice(
                [
                    f"What does {name} raise {when}?",
                    f"Which exception does {name} raise?",
                    f"What error comes from {name} {when}?",
                ]
            ),
            context,
            [error],
            "functions-raises",
            title,
        )
    return Row(
        rng.choice([f"When does {name} raise {error}?", f"Why would {name} raise {error}?"]),
        context,
        [when],
        "functions-when",
        title,
    )


def of_symbols(maker: Maker) -> Row:
    """Variables of the environment, or shortcuts: a symbol and what it is for."""
    rng, rules = maker.rng, maker.rules["symbols"]
    if rng.random() < 0.5:
        prefix = maker.invented().upper()
        rows = [
            (words, f"{prefix}_{name}") for words, name in (each.split("|") for each in rules["variables"])
        ]
        ask: Callable[[str], list[str]] = lambda w: [
            f"Which environment variable holds {w}?",
            f"Where do I set {w}?",
            f"variable for {w.removeprefix('the ')}",
        ]
        back: Callable[[str], str] = lambda s: f"What is {s} for?"
        title = maker.heading(
            rng.choice(["Environment variables", "{product} setup", "Deployment", "{product} variables"])
        )
    else:
        keys = rng.sample(rules["keys"], len(rules["shortcuts"]))
        rows = [
            (words, rng.choice(rules["modifiers"]) + key)
            for words, key in zip(rules["shortcuts"], keys, strict=True)
        ]
        ask = lambda w: [
            f"Which keys {w}?",
            f"What is the shortcut to {w}?",
            f"How do I {w} with the keyboard?",
            f"shortcut {w}",
        ]
        back = lambda s: f"What does {s} do?"
        title = maker.heading(
            rng.choice(["Keyboard shortcuts", "{product} shortcuts", "Keys", "{product} quick guide"])
        )
    rng.shuffle(rows)
    count = rng.randint(3, 7)
    shown, rest = rows[:count], rows[count:]
    form = rng.randrange(4)
    lines = [
        [f"- `{s}`: {w}", f"{s}  {w}", f"Name: {s}; Purpose: {capital(w)}.", f"{capital(w)}: {s}"][form]
        for w, s in shown
    ]
    context = "\n".join(lines)
    words, symbol = rng.choice(shown)
    draw = rng.random()
    if draw < 0.18:
        return Row(rng.choice(ask(rng.choice(rest)[0])), context, NO_ANSWER, "symbols-absent", title)
    if draw < 0.4:
        return Row(
            back(symbol), context, [words if words in context else capital(words)], "symbols-what", title
        )
    return Row(rng.choice(ask(words)), context, [symbol], "symbols", title)
