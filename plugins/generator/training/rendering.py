"""Answer pieces back to text: runs copied from a passage are quoted from it, spelling and spacing kept."""

from dataclasses import dataclass

from tokenizers import Tokenizer


@dataclass(frozen=True)
class Source:
    """`title: passage` as one text, and where each of its pieces lies in it."""

    text: str
    ids: list[int]
    offsets: list[tuple[int, int]]


def source_of(tokenizer: Tokenizer, title: str, passage: str) -> Source:
    text = f"{title}: {passage}" if title else passage
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return Source(text, encoding.ids, encoding.offsets)


def longest_run(pieces: list[int], source: Source) -> tuple[int, int]:
    """Length and place of the longest prefix of `pieces` that occurs in the source."""
    length, place = 0, 0
    for at, piece in enumerate(source.ids):
        if piece == pieces[0]:
            run = 1
            while run < len(pieces) and at + run < len(source.ids) and source.ids[at + run] == pieces[run]:
                run += 1
            if run > length:
                length, place = run, at
    return length, place


def render(tokenizer: Tokenizer, pieces: list[int], sources: list[Source]) -> str:
    parts: list[str] = []
    while pieces:
        (length, place), source = max(((longest_run(pieces, s), s) for s in sources), key=lambda found: found[0][0])
        if length:
            text = source.text[source.offsets[place][0] : source.offsets[place + length - 1][1]]
        else:
            length, text = 1, tokenizer.id_to_token(pieces[0])
        if text.startswith("##") or (parts and (tokenizer.id_to_token(pieces[0]) or "").startswith("##")):
            parts.append(text.removeprefix("##"))
        else:
            parts.append(f" {text}" if parts else text)
        pieces = pieces[length:]
    return "".join(parts)
