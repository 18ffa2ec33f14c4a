"""What comes one after the other: steps of a task, lists, agendas."""

from invented.maker import NO_ANSWER, ORDINALS, Maker, Row, capital, lowered


def composed(maker: Maker) -> tuple[str, list[str]]:
    """An aim, and steps towards it."""
    rng, rules = maker.rng, maker.rules["steps"]
    if rng.random() < 0.3:
        goal, steps = rng.choice(rules["goals"])
        return goal, steps[: rng.randint(3, len(steps))]

    def step() -> str:
        known = {
            "w": str(rng.choice([2, 3, 5, 10, 15, 20, 30, 45, 60])),
            "p": maker.value("person", {})[0],
            "o": rng.choice(rules["objects"]),
        }
        if rng.random() < 0.3:
            return rng.choice(rules["plain"]).format(**known)
        verb, article = rng.choice(rules["verbs"]).split("|")
        return f"{verb} {article} {known['o']}{rng.choice(rules['tails']).format(**known)}"

    steps = list(dict.fromkeys(step() for _ in range(rng.randint(3, 7))))
    return rng.choice(rules["aims"]).format(o=rng.choice(rules["objects"])), steps


def numbered(maker: Maker, steps: list[str]) -> str:
    """As a numbered list, or told in words."""
    rng = maker.rng
    if rng.random() < 0.8:
        mark = rng.choice(["{}. ", "{}. ", "{}) ", "Step {}: ", "({}) "])
        return "\n".join(f"{mark.format(n + 1)}{step}." for n, step in enumerate(steps))
    first, *middle, last = [lowered(step) for step in steps]
    links = ["Then", "Next,", "After that,", "Now"]
    told = [
        f"First {first}.",
        *(f"{rng.choice(links)} {step}." for step in middle),
        f"{rng.choice(['Finally', 'Last,', 'At the end'])} {last}.",
    ]
    return " ".join(told)


def of_steps(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["steps"]
    goal, steps = composed(maker)
    context = numbered(maker, steps)
    title = maker.heading(rng.choice(rules["titles"]).format(g=goal))
    if rng.random() < 0.3:
        # Another task beside it: the question says which.
        other, others = composed(maker)
        if other != goal and not set(others) & set(steps):
            parts = [f"{capital(goal)}:\n{context}", f"{capital(other)}:\n{numbered(maker, others)}"]
            rng.shuffle(parts)
            context, title = "\n\n".join(parts), maker.heading("How it is done")
    at, draw = rng.randrange(len(steps)), rng.random()
    if draw < 0.16:
        place = rng.choice(range(len(steps), 7)) if len(steps) < 7 else None
        other = rng.choice([g for g, _ in rules["goals"] if g not in context.lower() and g != goal])
        if place is not None and rng.random() < 0.5:
            return Row(
                f"What is the {ORDINALS[place]} step to {goal}?", context, NO_ANSWER, "steps-absent", title
            )
        return Row(f"What is the {ORDINALS[at]} step to {other}?", context, NO_ANSWER, "steps-other", title)
    if draw < 0.55:
        ask = [
            f"What is the {ORDINALS[at]} step to {goal}?",
            f"What do I do {ORDINALS[at]} to {goal}?",
            f"Step {at + 1} of how to {goal}?",
            f"{ORDINALS[at]} step {goal}",
            f"What is step {at + 1} when I {goal}?",
            f"When I {goal}, what is the {ORDINALS[at]} thing to do?",
        ]
        if at == 0:
            ask += [f"How do I begin to {goal}?", f"What comes first when I {goal}?"]
        if at == len(steps) - 1:
            ask += [f"What is the last step to {goal}?", f"What comes last when I {goal}?"]
        return Row(rng.choice(ask), context, [as_said(steps[at], context)], "steps", title)
    if draw < 0.78 and at > 0:
        before = lowered(steps[at - 1])
        ask = [
            f"To {goal}, what comes after you {before}?",
            f"What do I do once I {before}?",
            f'Which step follows "{before}"?',
            f"I have just done this: {before}. What now?",
        ]
        return Row(rng.choice(ask), context, [as_said(steps[at], context)], "steps-after", title)
    if at + 1 < len(steps):
        after = lowered(steps[at + 1])
        ask = [f"To {goal}, what comes before you {after}?", f"What has to be done before I {after}?"]
        return Row(rng.choice(ask), context, [as_said(steps[at], context)], "steps-before", title)
    ask = [
        f"What is the last step to {goal}?",
        f"What comes last to {goal}?",
        f"How does it end when I {goal}?",
    ]
    return Row(rng.choice(ask), context, [as_said(steps[-1], context)], "steps-last", title)


def as_said(step: str, context: str) -> str:
    return step if step in context else lowered(step)


def of_lists(maker: Maker) -> Row:
    """All members of a short list, or one by its place."""
    rng, rules = maker.rng, maker.rules["lists"]
    chosen = rng.sample(rules["rows"], rng.randint(1, 3))
    parts, listed = [], []
    for name, _, members in chosen:
        count = rng.randint(2, 6)
        if members == "person":
            items = list(dict.fromkeys(maker.value("person", {})[0] for _ in range(count)))
        else:
            items = rng.sample(members.split("|"), count)
        text = joined(maker, items)
        head = rng.choice([f"{name}:", f"{name}\n", f"## {name}\n", f"**{name}**"])
        parts.append(f"{head}{chr(10) if chr(10) in text else ' '}{text}")
        listed.append((items, text))
    context, at = "\n\n".join(parts), rng.randrange(len(chosen))
    (items, text), (name, asks, _) = listed[at], chosen[at]
    title = maker.heading(rng.choice(rules["titles"]), t=rng.choice(chosen)[0])
    ask = rng.choice(asks.split("|"))
    draw = rng.random()
    if draw < 0.15:
        absent = rng.choice([row for row in rules["rows"] if row not in chosen])
        return Row(
            f"What {rng.choice(absent[1].split('|'))}?".replace("What is on", "Who is on").replace(
                "What are the members", "Who are the members"
            ),
            context,
            NO_ANSWER,
            "list-absent",
            title,
        )
    if draw < 0.45:
        place = rng.randrange(len(items))
        named = lowered(name)
        what = (
            f"What is the {ORDINALS[place]} item under {name}?"
            if rng.random() < 0.5
            else f"Which is the {ORDINALS[place]} of {named}?"
        )
        if place == len(items) - 1 and rng.random() < 0.5:
            what = f"What comes last in the list of {named}?"
        return Row(what, context, [items[place]], "list-place", title)
    if len(items) > 4:
        place = rng.randrange(1, len(items))
        return Row(
            f"In the list of {lowered(name)}, what comes after {items[place - 1]}?",
            context,
            [items[place]],
            "list-after",
            title,
        )
    who = (
        "Who"
        if ask.startswith(("is on", "are the members"))
        else "Which"
        if ask.split()[0]
        in (
            "formats",
            "file",
            "languages",
            "translations",
            "stops",
            "places",
            "permissions",
            "fields",
            "ingredients",
        )
        else "What"
    )
    whole = text.strip().removeprefix("- ").removeprefix("* ").removeprefix("1. ").removesuffix(".")
    return Row(f"{who} {ask}?", context, [whole], "list-whole", title)


def joined(maker: Maker, items: list[str]) -> str:
    rng = maker.rng
    form = rng.randrange(5)
    if form == 0:
        return ", ".join(items[:-1]) + f" and {items[-1]}."
    if form == 1:
        return ", ".join(items)
    if form == 2:
        return "\n".join(f"{n + 1}. {item}" for n, item in enumerate(items))
    mark = rng.choice("-*")
    return "\n".join(f"{mark} {item}" for item in items)


def of_agendas(maker: Maker) -> Row:
    """Items of a list with a person, a time or a length each."""
    rng, rules = maker.rng, maker.rules["lists"]
    items = rng.sample(rules["pieces"], rng.randint(3, 7))
    start, style = rng.randint(8, 17) * 60, maker.style()
    people = [maker.value("person", style)[0] for _ in items]
    lengths = [rng.choice([5, 10, 15, 20, 25, 30, 45, 60, 90]) for _ in items]
    times = [
        f"{(start + sum(lengths[:n])) // 60}:{(start + sum(lengths[:n])) % 60:02}" for n in range(len(items))
    ]
    form = rng.randrange(4)
    lines = [
        [
            f"{n + 1}. {item} ({who}, {length} minutes)",
            f"{time} {item}, {who}",
            f"- {time}: {item} ({who})",
            f"{n + 1}. {item}: {who}",
        ][form]
        for n, (item, who, length, time) in enumerate(zip(items, people, lengths, times, strict=True))
    ]
    context = "\n".join(lines)
    title = maker.heading(
        rng.choice(["Agenda", "{org}: agenda", "Programme of the day", "Meeting on {d}", "Board meeting"]),
        d=maker.value("date", style)[0],
    )
    at, draw = rng.randrange(len(items)), rng.random()
    item, named = items[at], lowered(items[at])
    if draw < 0.15:
        absent = lowered(rng.choice([each for each in rules["pieces"] if each not in items]))
        return Row(
            rng.choice(
                [
                    f"Who presents the item on {absent}?",
                    f"When is {absent} on the agenda?",
                    f"Who talks about {absent}?",
                ]
            ),
            context,
            NO_ANSWER,
            "agenda-absent",
            title,
        )
    if draw < 0.4:
        return Row(
            rng.choice(
                [
                    f"Who presents {named}?",
                    f"Who talks about {named}?",
                    f'Who is responsible for the item "{item}"?',
                ]
            ),
            context,
            [people[at]],
            "agenda-who",
            title,
        )
    if draw < 0.6 and form in (1, 2):
        return Row(
            rng.choice(
                [
                    f"When is {named} due?",
                    f"At what time does the item on {named} start?",
                    f"{named} what time",
                ]
            ),
            context,
            [times[at]],
            "agenda-when",
            title,
        )
    if draw < 0.6 and form == 0:
        return Row(
            rng.choice([f"How long is the item on {named}?", f"How much time is there for {named}?"]),
            context,
            [f"{lengths[at]} minutes", str(lengths[at])],
            "agenda-length",
            title,
        )
    if draw < 0.8:
        return Row(
            rng.choice(
                [
                    f"What is the {ORDINALS[at]} item on the agenda?",
                    f"Which topic comes {ORDINALS[at]}?",
                    f"agenda item {at + 1}",
                ]
            ),
            context,
            [item],
            "agenda-place",
            title,
        )
    return (
        Row(
            rng.choice([f"What does {people[at]} present?", f"Which item is {people[at]} responsible for?"]),
            context,
            [item],
            "agenda-what",
            title,
        )
        if people.count(people[at]) == 1
        else Row(f"Which topic comes {ORDINALS[at]}?", context, [item], "agenda-place", title)
    )
