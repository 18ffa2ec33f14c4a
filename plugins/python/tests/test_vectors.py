"""The database of vectors."""

import array
import threading
from pathlib import Path

import numpy
import polars
import pyarrow
import pytest

import postil


@pytest.mark.parametrize("kind", ["float32", "float16", "float64"])
def test_vectors_of_each_kind_are_taken(tmp_path: Path, kind: str):
    rows = numpy.eye(3, dtype=kind)
    with postil.open_vectors(tmp_path / "v.postil", dimension=3) as vs:
        assert vs.upsert(["a", "b", "c"], rows).added == 3
        # As columns, every other one, and backwards: not one number after another.
        vs.upsert(["f"], numpy.asfortranarray(numpy.array([[0, 1, 1], [1, 1, 1]], dtype=kind))[:1])
        vs.upsert(["s"], numpy.array([[1, 9, 1, 9, 0, 9]], dtype=kind)[:, ::2])
        assert vs.search(rows[0], k=1).keys == ["a"]
        assert vs.search(numpy.array([0, 1, 1], dtype=kind), k=1).keys == ["f"]
        assert vs.search(numpy.array([0, 1, 1], dtype=kind)[::-1], k=1).keys == ["s"]
        assert vs.search(rows, k=1).keys == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize(
    "query",
    [
        [1, 0],
        (1.0, 0.0),
        array.array("f", [1, 0]),
        array.array("d", [1, 0]),
        memoryview(array.array("f", [1, 0])),
        numpy.float32([1, 0]),
        polars.Series([1.0, 0.0]),
        [numpy.float64(1), 0],
    ],
)
def test_a_query_may_be_a_buffer_or_a_list(vs: postil.VectorDatabase, query: object):
    found = vs.search(query, k=2)
    assert found.keys == ["east", "north"]
    assert isinstance(found.scores, numpy.ndarray) and found.scores.dtype == numpy.float32
    assert found.scores == pytest.approx([1, 0])


def test_a_matrix_has_a_list_for_each_row(vs: postil.VectorDatabase):
    found = vs.search([[1, 0], numpy.float32([0, 1])], k=2)
    assert found.keys == [["east", "north"], ["north", "east"]] or found.keys[1][0] == "north"
    assert found.scores.shape == (2, 2) and len(found) == 2
    assert found.metadata[0][0] == {"x": 1, "tag": "a"}
    none = vs.search(numpy.zeros((0, 2), dtype="float32"))
    assert none.keys == [] and none.scores.shape == (0, 0)
    one = vs.search(numpy.float32([[1, 0]]), k=1, filter="x < 0")
    assert one.keys == [["west"]]


def test_a_matrix_finds_what_its_rows_find(tmp_path: Path):
    random = numpy.random.default_rng(7)
    rows = random.standard_normal((2000, 16), dtype="float32")
    with postil.open_vectors(tmp_path / "v.postil", 16, "dot") as vs:
        vs.upsert([str(at) for at in range(len(rows))], rows)
        found = vs.search(rows[:100], k=5)
        for at in range(100):
            one = vs.search(rows[at], k=5)
            assert one.keys == found.keys[at] and (one.scores == found.scores[at]).all()
        exact = numpy.argsort(-(rows[:100] @ rows.T), axis=1)[:, :5]
        hits = sum(len({str(row) for row in exact[at]} & set(found.keys[at])) for at in range(100))
        assert hits >= 0.98 * 500


def test_rows_have_texts_metadata_or_no_vector(vs: postil.VectorDatabase):
    vs.upsert(
        ["up", "bare"], [[0.1, 1.0], None], [{"any": [1, {"json": None}]}, None], ["a text", "only a text"]
    )
    assert vs.get("bare").text == "only a text" and vs.get("bare", vectors=True).vectors == []
    assert vs.get(["up"], vectors=True)[0].vectors[0] == pytest.approx([0.0995, 0.995], abs=1e-3)
    found = vs.search([0.1, 1], k=10)
    assert found.keys[0] == "up" and found.texts[0] == "a text" and "bare" not in found.keys
    assert found.metadata[0] == {"any": [1, {"json": None}]}
    assert vs.upsert(["up"], [[1, 1]]).replaced == 1


def test_arrow_takes_what_was_found(vs: postil.VectorDatabase, full: postil.Database):
    found = vs.search([[1, 0], [0, 1]], k=2)
    table = pyarrow.table(found)
    assert table.column_names == ["query", "key", "score", "text", "metadata"] and table.num_rows == 4
    assert table["query"].to_pylist() == [0, 0, 1, 1]
    assert polars.DataFrame(found)["key"].to_list() == [key for keys in found.keys for key in keys]
    hits = full.search("trains", k=3)
    frame = polars.DataFrame(hits)
    assert frame["key"].to_list() == hits.keys and frame["begin"].dtype == polars.UInt64
    # Streams that nobody reads, or reads in part.
    hits.__arrow_c_stream__()
    reader = pyarrow.RecordBatchReader.from_stream(hits)
    del reader
    assert pyarrow.table(vs.search([1, 0], filter="x == 5")).num_rows == 0


def test_a_new_database_has_384_components_and_an_old_one_its_own(tmp_path: Path):
    with postil.open_vectors(tmp_path / "n.postil") as vs:
        assert (vs.dimension, vs.metric) == (384, "cosine")
    with postil.open_vectors(tmp_path / "o.postil", 2, "l2") as vs:
        vs.upsert(["a"], [[1, 2]])
    with postil.open_vectors(tmp_path / "o.postil") as vs:
        assert (vs.dimension, vs.metric) == (2, "l2")
    with pytest.raises(postil.InputError, match="2 components under l2"):
        postil.open_vectors(tmp_path / "o.postil", 3)


def test_searches_of_many_threads_agree(vs: postil.VectorDatabase):
    wrong = []

    def look() -> None:
        for _ in range(200):
            if vs.search([1, 0], k=1).keys != ["east"]:
                wrong.append(1)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for at in range(20):
        vs.upsert([f"extra{at}"], [[-1, -1]])
    for thread in threads:
        thread.join()
    assert not wrong and vs.count() == 23
