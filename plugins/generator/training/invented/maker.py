"""Names and values, drawn; and what a row is."""

import random
from dataclasses import dataclass

SYLLABLES = [
    "ba",
    "be",
    "bra",
    "co",
    "da",
    "del",
    "dor",
    "el",
    "fa",
    "fen",
    "gal",
    "hal",
    "ir",
    "jo",
    "ka",
    "kel",
    "la",
    "lin",
    "lo",
    "mar",
    "mel",
    "na",
    "no",
    "or",
    "pa",
    "per",
    "ra",
    "rin",
    "ro",
    "sa",
    "sel",
    "ta",
    "tor",
    "ul",
    "va",
    "ve",
    "vi",
    "wen",
    "zo",
]
FIRST = [
    "Ada",
    "Ben",
    "Carla",
    "Dan",
    "Eva",
    "Finn",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Karin",
    "Leo",
    "Mara",
    "Nils",
    "Olga",
    "Paul",
    "Quentin",
    "Rosa",
    "Sven",
    "Tara",
    "Uwe",
    "Vera",
    "Wim",
    "Yara",
    "Zoe",
    "Amir",
    "Bao",
    "Chidi",
    "Divya",
    "Emeka",
]
LAST = [
    "Abbott",
    "Baker",
    "Castro",
    "Dahl",
    "Eriksen",
    "Fuchs",
    "Gomes",
    "Hartl",
    "Ito",
    "Jansen",
    "Keller",
    "Lund",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
    "Quinn",
    "Rossi",
    "Sato",
    "Tamm",
    "Ueda",
    "Vogel",
    "Walsh",
    "Yilmaz",
    "Zeller",
    "Brandt",
    "Costa",
    "Dubois",
]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"]
CURRENCIES = ["£{}", "${}", "€{}", "{} €", "{} EUR", "EUR {}", "£{}", "${}"]
DOCUMENTS = (
    """
{org} handbook|{product} manual|{product} documentation|Staff guide|Notes|{org} wiki|Policies|{org}: terms|Guide to {org}
{product} reference|Operations|Members' guide|{org} newsletter|Field notes|Onboarding|{product} administrator guide
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
SECTIONS = (
    """
Overview|Details|1. General|2. Scope|Quick reference|Current|Appendix A|Notes|In short|At a glance|Section 4|Summary
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
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
            low, high, step = (int(p) for p in parts[:3])
            number = rng.randrange(low, high + 1, step)
            units = parts[3].split("|") if len(parts) > 3 else [""]
            text = f"{number:,}" if style["commas"] and number > 999 else str(number)
            return text + units[style["unit"] % len(units)], number
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
        if kind == "names":
            return rng.choice(self.names[parts[0]]), None
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
            "unit": rng.randrange(2),
        }

    def unlike(self, spec: str, style: dict) -> tuple[str, str]:
        """Two values of one kind that differ."""
        v = w = self.value(spec, style)[0]
        while w == v:
            w = self.value(spec, style)[0]
        return v, w

    def heading(self, template: str, **known: str) -> str:
        """A title, or the path of headings to a section under it."""
        title, rng = self.filled(template, **known), self.rng
        draw = rng.random()
        if draw < 0.25:
            return f"{self.filled(rng.choice(DOCUMENTS))} > {title}"
        if draw < 0.4:
            return f"{title} > {rng.choice(SECTIONS)}"
        return title


def lowered(name: str) -> str:
    """As it is written in a sentence; "Van A" and "Soil science" keep what is a name."""
    return name if name[1:] != name[1:].lower() and " " not in name else name[0].lower() + name[1:]


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def forms(value: str, unit: str) -> list[str]:
    """The value as it stands, and without its unit."""
    bare = value.removesuffix(unit) if unit else value
    return [value] if bare == value else [value, bare]
