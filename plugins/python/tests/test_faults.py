"""Bad input, and bad circumstances: an exception each, nothing lost, and no abort."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy
import pytest

import postil
from conftest import forks


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        (numpy.array([1, 0]), "float32"),
        (numpy.array([1, 0], dtype="complex64"), "float32"),
        (numpy.array([1.0, 0.0], dtype=">f4"), "float32"),
        (numpy.array(["a", "b"]), "vectors are"),
        (numpy.array([None, 1.0], dtype=object), "vectors are"),
        (b"\x00\x01", "float32"),
        (numpy.zeros((1, 1, 2), dtype="float32"), "shape"),
        (numpy.float32(1), "vectors are"),
        (numpy.float32([1, 0, 0]), "3 components"),
        (numpy.zeros((2, 3), dtype="float32"), "3 components"),
        ([], "0 components"),
        ([float("nan"), 0], "component"),
        ([float("inf"), 0], "component"),
        (numpy.array([1e300, 0]), "component"),
        ([10**400, 0], "beyond"),
        ([0, 0], "zero"),
        (["a", 0], "number"),
        ("text", "numbers"),
        (None, "numbers"),
        ([[1, 0], [1]], "row 1"),
        ([[[1, 0]]], "number"),
    ],
    ids=repr,
)
def test_a_query_that_is_no_vector_is_an_error(vs: postil.VectorDatabase, vector: object, said: str):
    with pytest.raises(postil.InputError, match=said):
        vs.search(vector)
    assert vs.search([1, 0], k=1).keys == ["east"]


@pytest.mark.parametrize(
    "arguments",
    [
        (["a"], numpy.zeros(2, dtype="float32")),
        (["a"], numpy.ones((2, 2), dtype="float32")),
        (["a", "b"], [[1, 0], [float("nan"), 0]]),
        (["a", "a"], [[1, 0], [0, 1]]),
        (["a", "b"], [[1, 0], [0, 0]]),
        (["a", "\ud800"], [[1, 0], [0, 1]]),
        (["a", 5], [[1, 0], [0, 1]]),
        (["a", ""], [[1, 0], [0, 1]]),
        (["a"], [[1, 0]], [{"x": float("nan")}]),
        (["a"], [[1, 0]], [{"x": "\udfff"}]),
        (["a"], [[1, 0]], [{5: "x"}]),
        (["a"], [[1, 0]], [{"x": object()}]),
        (["a"], [[1, 0]], [[1]]),
        (["a"], [[1, 0]], {"x": 1}),
        (["a"], [[1, 0]], []),
        (["a"], [[1, 0]], None, ["x", "y"]),
        (None, [[1, 0]]),
    ],
    ids=repr,
)
def test_rows_that_cannot_be_stored_are_an_error_and_none_of_them_is(
    vs: postil.VectorDatabase, arguments: tuple
):
    with pytest.raises(postil.InputError):
        vs.upsert(*arguments)
    assert vs.count() == 3 and "a" not in vs


def test_metadata_that_holds_itself_is_an_error(vs: postil.VectorDatabase):
    metadata: dict = {}
    metadata["self"] = metadata
    with pytest.raises(postil.InputError, match="deep"):
        vs.upsert(["a"], [[1, 0]], [metadata])


@pytest.mark.parametrize("k", [0, -1, 10**30, 1.5, "3", None, True])
def test_a_count_that_is_none_is_an_error(vs: postil.VectorDatabase, full: postil.Database, k: object):
    for search in (lambda: vs.search([1, 0], k), lambda: full.search("x", k), lambda: full.ask("Who?", k)):
        with pytest.raises(postil.InputError):
            search()


@pytest.mark.parametrize(
    "filter", ["x ==", "x = 1", 5, {"x": {"$like": 1}}, {"$nor": []}, {"$or": 1}, {"x": {"$in": 1}}]
)
def test_a_filter_that_is_none_is_an_error(vs: postil.VectorDatabase, filter: object):
    with pytest.raises(postil.InputError):
        vs.search([1, 0], filter=filter)


def test_texts_that_are_none_are_errors(full: postil.Database):
    for text in ("\ud800", "", 5, None, "x" * 100_000):
        with pytest.raises(postil.InputError):
            full.ask(text)
        with pytest.raises(postil.InputError):
            full.search(text)
    for given in (
        "\ud800 text",
        5,
        None,
        [5],
        {"title": "no text"},
        {"text": "x", "extra": 1},
        b"no key",
        "  ",
    ):
        with pytest.raises(postil.InputError):
            full.ingest(given)
    for given in ("missing.md", "folder/missing", Path("missing")):
        with pytest.raises(postil.NotFound):
            full.ingest(given)
    with pytest.raises(postil.InputError):
        full.ask("Who?", mode="both")
    with pytest.raises(postil.InputError):
        full.search("trains", recall=2.0)
    assert full.count() == 3


def test_errors_are_exceptions_by_kind(tmp_path: Path, full: postil.Database):
    with pytest.raises(postil.NotFound, match="create=True"):
        postil.open(tmp_path / "none.postil", create=False)
    with pytest.raises(postil.NotFound):
        postil.open(tmp_path / "none.postil", read_only=True)
    with pytest.raises(postil.InUse):
        postil.open(full.path)
    with pytest.raises(postil.NotFound, match="postil model add"):
        postil.open(tmp_path / "other.postil", model="no-such/model")
    with pytest.raises(postil.NotFound):
        full.ask("Who?", generator="none")
    with pytest.raises(postil.InputError):
        postil.open_vectors(tmp_path / "v.postil", metric="manhattan")
    for dimension in (0, -1, 10**30):
        with pytest.raises(postil.InputError):
            postil.open_vectors(tmp_path / "v.postil", dimension=dimension)
    (tmp_path / "file.postil").write_text("no database")
    with pytest.raises(postil.InputError):
        postil.open(tmp_path / "file.postil", model="hash-256")
    segments = tmp_path / "damaged.postil"
    with postil.open_vectors(segments, 2) as vs:
        vs.upsert(["a"], [[1, 0]])
        vs.compact()
    segment = next((segments / "segments").glob("*.seg"))
    segment.write_bytes(b"\0" * segment.stat().st_size)
    with pytest.raises(postil.Damaged):
        postil.open_vectors(segments).search([1, 0])
    assert issubclass(postil.InputError, ValueError) and issubclass(postil.Damaged, postil.Error)


def test_a_closed_database_is_an_error_and_not_a_crash(vs: postil.VectorDatabase, full: postil.Database):
    documents = full.documents()
    vs.close()
    vs.close()
    full.close()
    for call in (
        lambda: vs.search([1, 0]),
        lambda: vs.count(),
        lambda: full.ask("Who?"),
        lambda: full.ingest("x"),
    ):
        with pytest.raises(postil.Closed, match="open it again"):
            call()
    with pytest.raises(postil.Closed), full:
        pass
    # An iterator keeps the database until it ends.
    assert len(list(documents)) == 3
    del documents
    with postil.open_vectors(vs.path) as again:
        assert again.count() == 3


def test_a_panic_is_an_exception(vs: postil.VectorDatabase):
    from postil import _postil

    with pytest.raises(postil.InternalError, match="the reason"):
        _postil.fail("the reason")
    assert vs.search([1, 0], k=1).keys == ["east"]


def script(text: str, *arguments: object, **options: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.mark.skipif(not forks(), reason="processes are not forked here")
def test_a_child_after_a_fork_is_refused_and_its_parent_goes_on(tmp_path: Path):
    said = script(
        """
        import os, sys, postil
        vs = postil.open_vectors(sys.argv[1], 2)
        vs.upsert(["a"], [[1, 0]])
        child = os.fork()
        if child == 0:
            try:
                vs.search([1, 0])
            except postil.Forked as error:
                os.write(1, str(error).encode())
                try:
                    postil.open_vectors(sys.argv[1] + "2", 2)
                except postil.Forked:
                    sys.exit(7)
            sys.exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        vs.upsert(["b"], [[0, 1]])
        print(status, vs.search([0, 1], k=1).keys)
        """,
        tmp_path / "v.postil",
    )
    assert said.returncode == 0, said.stderr
    assert "spawn" in said.stdout and "7 ['b']" in said.stdout
    with postil.open_vectors(tmp_path / "v.postil") as vs:
        assert vs.count() == 2


def test_a_thread_that_is_killed_at_the_end_aborts_nothing(tmp_path: Path):
    said = script(
        """
        import sys, threading, postil
        vs = postil.open_vectors(sys.argv[1], 8)
        vs.upsert([str(at) for at in range(500)], [[at + 1, 1, 2, 3, 4, 5, 6, 7] for at in range(500)])
        begun = threading.Event()
        def look():
            while True:
                vs.search([1] * 8)
                begun.set()
        for _ in range(4):
            threading.Thread(target=look, daemon=True).start()
        begun.wait()
        print("ends")
        """,
        tmp_path / "v.postil",
    )
    assert (said.returncode, said.stdout) == (0, "ends\n"), said.stderr
    assert "FATAL" not in said.stderr and "panicked" not in said.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_ends_an_ingest_and_keeps_what_was_committed(db: postil.Database):
    committed = threading.Event()

    def endless():
        at = 0
        while True:
            yield f"text {at}", f"Text number {at} of an endless number of texts."
            at += 1

    def told(progress: postil.Progress) -> None:
        if progress.documents_committed > 0 and not committed.is_set():
            committed.set()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        db.ingest(endless(), progress=told)
    assert db.count() > 0
