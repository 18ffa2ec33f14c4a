"""Minutes, logs, change logs, glossaries, tables of two ways."""

from invented.maker import NO_ANSWER, Maker, Row, capital, lowered


def of_minutes(maker: Maker) -> Row:
    """Who does what by when; what was decided."""
    rng, rules = maker.rng, maker.rules["records"]
    style = maker.style()
    tasks = rng.sample(rules["tasks"], rng.randint(3, 6))
    asked, absent = tasks[:-1], tasks[-1]
    people = [
        maker.value("person", style)[0].split()[rng.randrange(2) if rng.random() < 0.3 else 0] for _ in asked
    ]
    dates = [maker.value(rng.choice(["date", "weekday", "month"]), style)[0] for _ in asked]
    form = rng.randrange(5)
    lines = [
        [
            f"- {who} to {task} by {when}",
            f"Action: {who} will {task} until {when}.",
            f"{who} was asked to {task} by {when}.",
            f"[ ] {task} ({who}, {when})",
            f"Who: {who}; What: {task}; By: {when}.",
        ][form]
        for who, task, when in zip(people, asked, dates, strict=True)
    ]
    matters = rng.sample(rules["matters"], rng.randint(1, 3))
    decided = []
    for matter in matters:
        template = rng.choice(rules["decisions"])
        known = {
            "w": matter,
            "v": maker.value("money:200:9000", style)[0],
            "d": maker.value("date", style)[0],
            "p": maker.value("person", style)[0],
        }
        key = next(k for k in ("v", "d", "p") if f"{{{k}}}" in template)
        ask = {
            "v": [f"How much money is there for {matter}?", f"What was decided about the cost of {matter}?"],
            "d": [f"What date was decided for {matter}?", f"Which date goes with the decision on {matter}?"],
            "p": [f"Who takes over {matter}?", f"Who is now in charge of {matter}?"],
        }[key]
        decided.append((f"Decided: {template.format(**known)}.", rng.choice(ask), known[key]))
    told = rng.choice(
        ["\n".join([*lines, *(d for d, _, _ in decided)]), "\n".join([*(d for d, _, _ in decided), *lines])]
    )
    title = maker.heading(rng.choice(rules["titles"]))
    draw, at = rng.random(), rng.randrange(len(asked))
    task, who, when = asked[at], people[at], dates[at]
    if draw < 0.17:
        return Row(
            rng.choice([f"Who is to {absent}?", f"By when must somebody {absent}?"]),
            told,
            NO_ANSWER,
            "minutes-absent",
            title,
        )
    if draw < 0.4:
        return Row(
            rng.choice([f"Who is to {task}?", f"Who has to {task}?", f"Whose task is it to {task}?"]),
            told,
            [who],
            "minutes-who",
            title,
        )
    if draw < 0.6:
        return Row(
            rng.choice(
                [
                    f"By when does {who} have to {task}?",
                    f"What is the deadline to {task}?",
                    f"deadline {task}",
                ]
            ),
            told,
            [when],
            "minutes-when",
            title,
        )
    if draw < 0.75 and people.count(who) == 1:
        return Row(
            rng.choice([f"What is {who} asked to do?", f"What does {who} have to do?", f"tasks of {who}"]),
            told,
            [task],
            "minutes-what",
            title,
        )
    _, question, answer = rng.choice(decided)
    return Row(question, told, [answer], "minutes-decided", title)


def of_timelines(maker: Maker) -> Row:
    """Events among events, each with its date."""
    rng, rules = maker.rng, maker.rules["records"]
    style = maker.style()
    *events, absent = rng.sample(rules["events"], rng.randint(4, 8))
    spec = rng.choice(["date", "date", "year"])
    dates: list[str] = []
    while len(dates) < len(events):
        drawn = maker.value(spec, style)[0]
        if drawn not in dates:
            dates.append(drawn)
    form = rng.randrange(4)
    on = "In" if spec == "year" else "On"
    lines = [
        [
            f"- {when}: {event}",
            f"{on} {when} {event}.",
            f"{capital(event)} {on.lower()} {when}.",
            f"{when} – {capital(event)}.",
        ][form]
        for event, when in zip(events, dates, strict=True)
    ]
    context = rng.choice(["\n", " " if form in (1, 2) else "\n"]).join(lines)
    title = maker.heading(
        rng.choice(["History", "{org}: a short history", "Timeline", "Logbook", "{product} log", "Chronicle"])
    )
    at, draw = rng.randrange(len(events)), rng.random()

    def ask(event: str) -> str:
        subject, _, what = event.partition(" was ") if " was " in event else event.partition(" ")
        asks = [
            f"When was it that {event}?",
            f"On what date {event}?".replace(
                "On what date", "In what year" if spec == "year" else "On what date"
            ),
        ]
        if " was " in event:
            asks += [
                f"When was {subject} {what}?",
                f"When did they say {subject} was {what}?",
                f"{subject.removeprefix('the ')} {what} date",
            ]
        return rng.choice(asks)

    if draw < 0.17:
        return Row(ask(absent), context, NO_ANSWER, "timeline-absent", title)
    if draw < 0.37:
        question = f"What happened {on.lower()} {dates[at]}?"
        event = events[at] if events[at] in context else capital(events[at])
        return Row(question, context, [event], "timeline-what", title)
    if draw < 0.5 and at > 0 and form in (0, 3):
        event = events[at] if events[at] in context else capital(events[at])
        return Row(
            f"In the list, what comes after this: {events[at - 1]}?",
            context,
            [event],
            "timeline-after",
            title,
        )
    return Row(ask(events[at]), context, [dates[at]], "timeline", title)


def of_changes(maker: Maker) -> Row:
    """Versions, with their dates, and what each added or took away."""
    rng, rules = maker.rng, maker.rules["records"]
    style = {**maker.style(), "date": rng.choice([1, 2, 3])}
    major, minor = rng.randint(0, 6), rng.randint(2, 9)
    versions = [f"{major}.{minor - n}.{rng.randint(0, 4)}" for n in range(rng.randint(2, min(4, minor + 1)))]
    pool = rng.sample(rules["changes"], 2 * len(versions) + 1)
    absent = pool.pop()
    ways = [
        rng.choice(
            [
                ("Added", "added"),
                ("Removed", "removed"),
                ("Fixed", "fixed"),
                ("New:", "added"),
                ("Deprecated", "deprecated"),
            ]
        )
        for _ in pool
    ]
    dates = [maker.value("date", style)[0] for _ in versions]
    parts = []
    for n, (version, when) in enumerate(zip(versions, dates, strict=True)):
        head = rng.choice(
            [f"## {version} ({when})", f"## [{version}] - {when}", f"Version {version}, {when}"]
        )
        parts.append("\n".join([head, *(f"- {ways[i][0]} {pool[i]}" for i in (2 * n, 2 * n + 1))]))
    context = "\n\n".join(parts)
    title = maker.heading(rng.choice(["Changelog", "{product} release notes", "CHANGELOG.md", "What is new"]))
    i, draw = rng.randrange(len(pool)), rng.random()
    version, when, what, way = versions[i // 2], dates[i // 2], pool[i], ways[i][1]
    if draw < 0.18:
        return Row(f"In which version was {absent} {way}?", context, NO_ANSWER, "changes-absent", title)
    if draw < 0.5:
        return Row(
            rng.choice(
                [
                    f"In which version was {what} {way}?",
                    f"Since which version is {what} {way}?",
                    f"Which release {way} {what}?",
                ]
            ),
            context,
            [version],
            "changes-version",
            title,
        )
    if draw < 0.75:
        return Row(
            rng.choice([f"When was version {version} released?", f"{version} release date"]),
            context,
            [when],
            "changes-date",
            title,
        )
    same = [j for j in (i // 2 * 2, i // 2 * 2 + 1) if ways[j][1] == way]
    if len(same) == 1:
        return Row(f"What was {way} in {version}?", context, [what], "changes-what", title)
    return Row(f"When was {what} {way}?", context, [when], "changes-when", title)


def of_glossaries(maker: Maker) -> Row:
    rng, rules = maker.rng, maker.rules["glossary"]
    *rows, (absent, other) = [each.split("|") for each in rng.sample(rules["rows"], rng.randint(4, 8))]
    form = rng.randrange(4)
    lines = [
        [
            f"{capital(term)}: {means}.",
            f"**{capital(term)}** – {means}.",
            f"Term: {term}; Meaning: {means}.",
            f"{term}\n: {means}",
        ][form]
        for term, means in rows
    ]
    context, title = "\n".join(lines), maker.heading(rng.choice(rules["titles"]))
    term, means = rng.choice(rows)
    draw = rng.random()
    if draw < 0.2:
        return Row(
            rng.choice([f"What does {absent} mean?", f"What is the word for {other}?"]),
            context,
            NO_ANSWER,
            "glossary-absent",
            title,
        )
    if draw < 0.6:
        return Row(
            rng.choice(
                [
                    f"What does {term} mean?",
                    f"What is meant by {term}?",
                    f"{term} meaning",
                    f'What is "{term}"?',
                ]
            ),
            context,
            [means],
            "glossary",
            title,
        )
    answer = term if term in context else capital(term)
    return Row(
        rng.choice(
            [f"What is the word for {means}?", f"What is {means} called?", f"Which term means {means}?"]
        ),
        context,
        [answer],
        "glossary-term",
        title,
    )


def of_grids(maker: Maker) -> Row:
    """A value for each pair of a row and a column: both have to be right."""
    rng, rules = maker.rng, maker.rules["grid"]
    it, style = rng.choice(rules["tables"]), maker.style()
    every_row, every_column = it["rows"].split("|"), it["columns"].split("|")
    rows = sorted(rng.sample(every_row, rng.randint(2, len(every_row) - 1)), key=every_row.index)
    columns = sorted(rng.sample(every_column, rng.randint(2, len(every_column) - 1)), key=every_column.index)
    values = {(r, c): maker.value(it["value"], style)[0] for r in rows for c in columns}
    form = rng.random()
    if form < 0.6:
        lines = [
            "; ".join([f"{it['row']}: {r}", *(f"{c}: {values[r, c]}" for c in columns)]) + "." for r in rows
        ]
    elif form < 0.8:
        lines = [
            " | ".join([it["row"], *columns]),
            *(" | ".join([r, *(values[r, c] for c in columns)]) for r in rows),
        ]
    else:
        lines = [f"- {r}: " + ", ".join(f"{lowered(c)} {values[r, c]}" for c in columns) for r in rows]
    context, title = "\n".join(lines), maker.heading(rng.choice(rules["titles"]))
    r, c = rng.choice(rows), rng.choice(columns)
    draw = rng.random()
    kind = "grid"
    answers = [values[r, c]]
    if draw < 0.18:
        if rng.random() < 0.5:
            r = rng.choice([each for each in every_row if each not in rows])
        else:
            c = rng.choice([each for each in every_column if each not in columns])
        kind, answers = "grid-absent", NO_ANSWER
    question = rng.choice(it["ask"]).format(r=r, c=c, lr=lowered(r), lc=lowered(c))
    return Row(question, context, answers, kind, title)
