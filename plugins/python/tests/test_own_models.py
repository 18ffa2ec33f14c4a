"""Encoders and generators that are Python functions."""

from pathlib import Path

import numpy
import pytest

import postil
from conftest import HANDBOOK


def letters(texts: list[str]) -> numpy.ndarray:
    """Vectors that count letters."""
    counts = [
        [1e-3 + text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts
    ]
    return numpy.array(counts)


class WithEncode:
    """The interface of sentence-transformers."""

    def encode(self, texts: list[str]) -> numpy.ndarray:
        return letters(texts).astype("float32")


def choose(question: str, passages: list[str]) -> tuple[list[str], list[list[float]]]:
    """Answers with a word of a passage; each is likeliest under the passages that have it."""
    answers = ["40 euros", "20 weeks"]
    wanted = 0 if "fee" in question else 1
    likely = lambda at, passage: (3.0 if answers[at] in passage else 0.0) + (2.0 if at == wanted else 0.0)
    return answers, [[likely(at, passage) for passage in passages] for at in range(2)]


@pytest.mark.parametrize("function", [letters, WithEncode(), lambda texts: letters(texts).tolist()])
def test_a_function_encodes(tmp_path: Path, function: object):
    encoder = postil.Encoder(function, name="letters")
    assert (encoder.name, encoder.dimension) == ("letters", 26)
    with postil.open(tmp_path / "d.postil", model=encoder) as db:
        db.ingest([("zoo", "Zebras doze."), ("sea", "The sea is still.")])
        assert db.search("dozing zebras", k=1).keys == ["zoo"]
        assert db.stat().encoder == "letters"
    with pytest.raises(postil.InputError, match="letters"):
        postil.open(tmp_path / "d.postil", model=postil.Encoder(letters, name="others"))
    with postil.open(tmp_path / "d.postil", model=postil.Encoder(letters, name="letters")) as db:
        assert db.search("dozing zebras", k=1).keys == ["zoo"]


def test_what_an_encoder_raises_is_the_cause(tmp_path: Path):
    def broken(texts: list[str]) -> numpy.ndarray:
        raise ConnectionError("no network")

    encoder = postil.Encoder(broken, name="broken", dimension=3)
    with postil.open(tmp_path / "d.postil", model=encoder) as db:
        with pytest.raises(postil.SystemFailure, match="no network") as raised:
            db.search("a question")
        assert isinstance(raised.value.__cause__, ConnectionError)
    with pytest.raises(ConnectionError):
        postil.Encoder(broken, name="broken")


@pytest.mark.parametrize("vectors", [[[1.0, 2.0]], [[1.0, 2.0, float("nan")]], [], "text", [[1, 2, 3]] * 2])
def test_vectors_of_an_encoder_that_are_wrong_are_an_error(tmp_path: Path, vectors: object):
    encoder = postil.Encoder(lambda texts: vectors, name="wrong", dimension=3)
    with postil.open(tmp_path / "d.postil", model=encoder) as db, pytest.raises(postil.Error):
        db.search("a question")


def test_a_function_generates(full: postil.Database):
    for generator in (choose, postil.Generator(choose, name="chooser")):
        answer = full.ask("How high is the yearly fee?", generator=generator)
        found = answer.text or answer.alternatives[0].text
        assert found == "40 euros"
        citations = answer.citations or answer.alternatives[0].citations
        assert citations[0].document == "fees.md"


@pytest.mark.parametrize(
    "given",
    [None, ([], []), (["a"], [[0.0]] * 2), (["a"], [[float("nan")] * 4]), ([None, None], [[0.0] * 4] * 2)],
)
def test_what_a_generator_gives_that_is_wrong_is_an_error(full: postil.Database, given: object):
    with pytest.raises(postil.Error):
        full.ask("Who books trains?", k=3, generator=lambda question, passages: given)
