"""Rules: with an exception, for two cases, of what is allowed."""

from invented.maker import NO_ANSWER, Maker, Row, capital


def of_exceptions(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["exceptions"]
    chosen, style = rng.sample(rules["rows"], rng.randint(2, 4)), maker.style()
    said, values = [], []
    for usual, exception, how, spec, *_ in chosen:
        v, w = maker.unlike(spec, style)
        values.append((v, w))
        said.append(f"{usual.format(v=v)}, except {exception}, {how.format(w=w)}.")
    title, at = maker.filled(rng.choice(rules["titles"])), rng.randrange(len(chosen))
    context = rng.choice([" ", "\n- "]).join(said)
    (v, w), (_, exception, _, _, ask, ask_exception) = values[at], chosen[at]
    draw = rng.random()
    if draw < 0.2:
        row = rng.choice([row for row in rules["rows"] if row not in chosen])
        question = rng.choice([row[4], row[5].format(e=row[1])])
        return Row(question, context, NO_ANSWER, "exceptions-absent", title)
    if draw < 0.6:
        return Row(ask_exception.format(e=exception), context, [w], "exceptions-exception", title)
    return Row(ask, context, [v], "exceptions", title)


def of_contrast(maker: Maker) -> Row:
    """One value in one case, another in the other: the question names a case, often in other words."""
    rng, rules = maker.rng, maker.rules["contrast"]
    style, title = maker.style(), maker.heading(rng.choice(maker.rules["exceptions"]["titles"]))
    topics = rng.sample(rules["topics"], rng.randint(2, 5))
    asked = rng.randrange(rng.randint(1, len(topics) - 1))
    said, found = [], None
    for number, (name, spec, asks) in enumerate(topics[1:]):
        pair = rng.choice(rules["pairs"])
        v, w = maker.unlike(spec, style)
        first, second = pair[:2]
        if rng.random() < 0.5:
            (first, v), (second, w) = (second, w), (first, v)
        said.append(contrasted(maker, name, first, v, second, w))
        if number == asked:
            at = rng.randrange(2)
            case = rng.choice([pair[at], *pair[2 + at].split("|")])
            value = v if (first == pair[at]) else w
            found = (name, asks, case, value, pair)
    assert found is not None
    if rng.random() < 0.4:
        rng.shuffle(said)
    context = rng.choice([" ", "\n\n", "\n- "]).join(said)
    name, asks, case, value, pair = found
    if rng.random() < 0.16:
        other = rng.choice([p for p in rules["pairs"] if p is not pair])
        absent = rng.random() < 0.6
        asks, name = (topics[0][2], topics[0][0]) if absent else (asks, name)
        case = case if absent else rng.choice([other[0], *other[2].split("|")])
        return Row(ask_for(maker, name, asks, case), context, NO_ANSWER, "contrast-absent", title)
    return Row(ask_for(maker, name, asks, case), context, [value], "contrast", title)


def ask_for(maker: Maker, name: str, asks: str, case: str) -> str:
    if maker.rng.random() < 0.2:
        return f"{name.removeprefix('the ')} {case}"
    return maker.rng.choice(asks.split("|")).format(c=case)


def contrasted(maker: Maker, name: str, first: str, v: str, second: str, w: str) -> str:
    return capital(
        maker.rng.choice(
            [
                f"{name} is {v} {first} and {w} {second}.",
                f"{name} is {v} {first}, but {w} {second}.",
                f"{first}, {name} is {v}; {second} it is {w}.",
                f"while {name} is {v} {first}, it is {w} {second}.",
                f"{name}: {v} {first}, {w} {second}.",
                f"{name} was set at {v} {first}. {capital(second)} it is {w}.",
                f"{first} {name} is {v}, {second} {w}.",
                f"we keep {name} at {v} {first}, whereas {second} {w} applies.",
                f"{name} ({first}): {v}. {capital(name)} ({second}): {w}.",
                f"{name} {first} is {v}; {second}, {w}.",
            ]
        )
    )


def of_permissions(maker: Maker) -> Row:
    """What is allowed, to whom, when; what is left out: the phrase that decides is the answer."""
    rng, rules = maker.rng, maker.rules["permissions"]
    kinds = rng.sample([only, forbidden, nobody, needless, left_out, never], rng.randint(3, 5))
    *made, (_, absent, _) = [make(maker) for make in kinds]
    context = rng.choice([" ", "\n", "\n- "]).join(said for said, _, _ in made)
    title = maker.heading(rng.choice(maker.rules["exceptions"]["titles"]))
    is_said = any(act in absent and act in context for act, _ in rules["acts"])
    if rng.random() < 0.18 and not is_said:
        return Row(absent, context, NO_ANSWER, "permissions-absent", title)
    _, question, answer = rng.choice(made)
    return Row(question, context, [answer], "permissions", title)


def only(maker: Maker) -> tuple[str, str, str]:
    rng, rules = maker.rng, maker.rules["permissions"]
    who, (act, _), how = rng.choice(rules["who"]), rng.choice(rules["acts"]), rng.choice(rules["only"])
    said = rng.choice([f"{capital(who)} may {act} only {how}.", f"{capital(who)} can {act}, but only {how}."])
    asks = [
        f"May {who} {act}?",
        f"On what condition may {who} {act}?",
        f"Can {who} {act}?",
        f"When may {who} {act}?",
    ]
    return said, rng.choice(asks), f"only {how}"


def forbidden(maker: Maker) -> tuple[str, str, str]:
    rng, rules = maker.rng, maker.rules["permissions"]
    thing, place = rng.choice(rules["things"]), rng.choice(rules["places"])
    how = rng.choice(["not allowed", "forbidden", "not permitted", "prohibited", "welcome", "allowed"])
    said = f"{capital(thing)} are {how} in {place}."
    if rng.random() < 0.5:
        return (
            said,
            rng.choice([f"Are {thing} allowed in {place}?", f"May I bring {thing} into {place}?"]),
            how,
        )
    if how in ("welcome", "allowed"):
        return said, f"What is allowed in {place}?", thing
    return (
        said,
        rng.choice([f"What is not allowed in {place}?", f"What may not be brought into {place}?"]),
        thing,
    )


def nobody(maker: Maker) -> tuple[str, str, str]:
    rng, rules = maker.rng, maker.rules["permissions"]
    (act, _), who = rng.choice(rules["acts"]), rng.choice(rules["others"])
    said = rng.choice(
        [f"Nobody may {act} except {who}.", f"Only {who} may {act}.", f"{capital(who)} alone may {act}."]
    )
    return said, rng.choice([f"Who may {act}?", f"Who is allowed to {act}?"]), who


def needless(maker: Maker) -> tuple[str, str, str]:
    rng, rules = maker.rng, maker.rules["permissions"]
    who, (act, _) = rng.choice(rules["who"]), rng.choice(rules["acts"])
    other, _ = rng.choice([each for each in rules["acts"] if each[0] != act])
    said = f"{capital(who)} must {act}, but need not {other}."
    return said, *rng.choice(
        [
            (f"What do {who} not have to do?", other),
            (f"What must {who} do?", act),
            (f"What are {who} obliged to do?", act),
        ]
    )


def left_out(maker: Maker) -> tuple[str, str, str]:
    rng, rules = maker.rng, maker.rules["permissions"]
    price, (part, other) = rng.choice(rules["prices"]), rng.sample(rules["parts"], 2)
    said = rng.choice(
        [
            f"{price} includes {part} but not {other}.",
            f"{price} covers {part}; {other} is extra.",
            f"{capital(part)} is included in {price.lower()}, {other} is not.",
        ]
    )
    is_out = rng.random() < 0.5
    asks = (
        [f"What is not included in {price.lower()}?", f"What costs extra besides {price.lower()}?"]
        if is_out
        else [f"What does {price.lower()} include?", f"What is included in {price.lower()}?"]
    )
    return said, rng.choice(asks), other if is_out else part


def never(maker: Maker) -> tuple[str, str, str]:
    rng, rules = maker.rng, maker.rules["permissions"]
    surface, (good, bad) = rng.choice(rules["surfaces"]), rng.sample(rules["cleaners"], 2)
    said = rng.choice(
        [f"Clean {surface} with {good}, never with {bad}.", f"Use {good} on {surface}. Do not use {bad}."]
    )
    is_bad = rng.random() < 0.5
    asks = (
        [f"What must not be used on {surface}?", f"What should I never clean {surface} with?"]
        if is_bad
        else [f"What do I clean {surface} with?", f"How is {surface} cleaned?"]
    )
    return said, rng.choice(asks), bad if is_bad else good
