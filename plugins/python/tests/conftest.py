"""Databases for the tests; `hash-256` is a stand-in for an encoder, and needs no model."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import postil

HANDBOOK = {
    "leave.md": "# Leave\n\nEvery parent gets 20 weeks of paid parental leave.\n",
    "travel.md": "# Travel\n\nTrains are booked by the front desk.\n",
    "fees.md": "# Fees\n\nThe yearly fee is 40 euros.\n",
}


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    """A folder of documents."""
    folder = tmp_path / "handbook"
    folder.mkdir()
    for name, text in HANDBOOK.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def db(tmp_path: Path) -> Iterator[postil.Database]:
    """An empty database of documents."""
    with postil.open(tmp_path / "d.postil", model="hash-256") as database:
        yield database


@pytest.fixture
def full(db: postil.Database) -> postil.Database:
    """A database with the handbook."""
    db.ingest(list(HANDBOOK.items()))
    return db


@pytest.fixture
def vs(tmp_path: Path) -> Iterator[postil.VectorDatabase]:
    """A database of three vectors in the plane."""
    with postil.open_vectors(tmp_path / "v.postil", dimension=2) as database:
        database.upsert(
            ["east", "north", "west"], [[1, 0], [0, 1], [-1, 0]], [{"x": 1, "tag": "a"}, {"x": 0}, {"x": -1}]
        )
        yield database


@pytest.fixture
def real_model(tmp_path: Path) -> Iterator[postil.Database]:
    """A database with the real encoder; skipped where it is not installed."""
    try:
        database = postil.open(tmp_path / "real.postil", model="all-MiniLM-L6-v2")
    except postil.NotFound as error:
        pytest.skip(str(error))
    with database:
        yield database


def forks() -> bool:
    """True where processes can be forked."""
    return hasattr(os, "fork")
