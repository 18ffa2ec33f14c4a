"""The database of documents."""

import asyncio
import json
from pathlib import Path

import pytest

import postil
from conftest import HANDBOOK


def test_what_was_ingested_is_found_with_its_place(full: postil.Database):
    hits = full.search("Who books trains?", k=2)
    assert len(hits) == 2 and hits.keys[0] == "travel.md"
    hit = hits[0]
    begin, end = hit.source_range
    assert HANDBOOK["travel.md"].encode()[begin:end].decode() in hit.text
    assert hit.document == hit.key == hit.to_dict()["key"]
    assert [one.key for one in hits] == hits.keys and hits[-1].key == hits.keys[1]
    assert [one.key for one in hits[:1]] == ["travel.md"]
    with pytest.raises(IndexError):
        hits[2]


def test_an_answer_has_citations_whose_bytes_are_those_of_the_document(full: postil.Database):
    answer = full.ask("Are trains booked by the front desk?", generator="quote")
    assert "front desk" in answer.text and not answer.no_answer
    citation = answer.citations[0]
    begin, end = citation.range
    assert HANDBOOK[citation.document].encode()[begin:end].decode() == citation.quote
    assert 0 < citation.posterior <= 1 and citation.source == "travel.md"
    assert sum(passage.posterior for passage in answer.passages) == pytest.approx(1)
    fields = answer.to_dict()
    assert fields["text"] == answer.text and fields["citations"][0]["range"] == citation.range
    assert json.dumps(fields["spans"]) == json.dumps(answer.spans)
    assert str(answer).startswith(answer.text) and "[1]" in str(answer)
    assert "".join(text for text, _ in answer.stretches) == answer.text


def test_the_reader_answers_and_its_html_escapes_what_documents_say(db: postil.Database):
    db.ingest("The <b>yearly</b> fee is 40 & more euros.", key="fees<script>.txt")
    html = db.ask("How high is the yearly fee?", generator="quote")._repr_html_()
    assert "<script>" not in html and "<b>" not in html and "&lt;script&gt;" in html and "hsla(" in html


def test_a_file_a_folder_a_text_and_many_are_ingested(db: postil.Database, handbook: Path):
    assert db.ingest(handbook).added == 3
    assert db.ingest(str(handbook)).unchanged == 3
    assert db.ingest(handbook / "fees.md", key="fees", metadata={"year": 2020}).added == 1
    assert db.get("fees").metadata["year"] == 2020
    assert db.ingest("A text without a key.").added == 1
    assert db.ingest("A text without a key.").unchanged == 1
    items = [
        {"key": "a", "text": "About apples.", "title": "Apples", "metadata": {"kind": "fruit"}},
        ("b", "About pears.", {"kind": "fruit"}),
        ("c", "About chairs."),
        "About nothing in particular.",
        handbook / "travel.md",
    ]
    report = db.ingest(iter(items), metadata={"batch": 1})
    assert (report.added, report.skipped, report.interrupted) == (4, [], False)
    assert db.get("a").title == "Apples" and db.get("c").metadata == {"batch": 1}
    assert db.count('kind == "fruit"') == 2 and len(db) == db.count()
    assert db.ingest(b"<p>Hello <b>world</b></p>", key="page.html").added == 1
    assert db.get("page.html").text == "Hello world"


def test_documents_are_listed_removed_and_read_by_many_keys(full: postil.Database, tmp_path: Path):
    assert [document.key for document in full.documents()] == sorted(HANDBOOK)
    assert next(iter(full.documents(texts=True))).text == HANDBOOK["fees.md"]
    assert next(iter(full.documents())).text is None
    found = full.get(["leave.md", "none"])
    assert found[0].text == HANDBOOK["leave.md"] and found[1] is None and full.get("none") is None
    assert "leave.md" in full and "none" not in full
    assert full.remove("leave.md") == 1 and full.remove(["travel.md", "none", "none"]) == 1
    assert full.remove(filter={"missing": 1}) == 0 and full.count() == 1
    stat = full.stat()
    assert (stat.documents, stat.encoder, stat.metric) == (1, "hash-256", "cosine")
    assert stat.to_dict()["disk_bytes"] == stat.disk_bytes > 0
    full.compact()
    assert full.backup(tmp_path / "copy.postil").bytes > 0
    with postil.open(tmp_path / "copy.postil", read_only=True) as copy:
        assert copy.count() == 1
        with pytest.raises(postil.NotPermitted):
            copy.remove("fees.md")


def test_a_reader_sees_what_was_published_once_it_refreshes(full: postil.Database):
    full.publish()
    with postil.open(full.path, published=True) as reader:
        full.remove("leave.md")
        assert not reader.refresh() and reader.count() == 3
        full.publish()
        assert reader.refresh() and reader.count() == 2


def test_metadata_of_any_json_come_back_as_they_were_given(db: postil.Database):
    metadata = {
        "huge": 12345678901234567890123,
        "large": 2**63,
        "small": -5,
        "float": 0.1,
        "none": None,
        "list": [1, "two", [True, {"a": {}}]],
        "ключ": "значение 🦀",
    }
    db.ingest("Some text.", key="a", metadata=metadata)
    found = db.get("a").metadata
    assert found == metadata and json.dumps(found, sort_keys=True) == json.dumps(metadata, sort_keys=True)
    for wanted in ({"huge": 12345678901234567890123}, "float == 0.1", {"list": {"$contains": "two"}}):
        assert db.count(wanted) == 1
    assert db.count({"$or": [{"small": {"$gt": 0}}, {"$not": {"float": 0.2}}]}) == 1
    assert db.count({"small": {"$in": [1, -5]}, "none": {"$exists": True}}) + db.count({"none": None}) == 1


def test_progress_is_told_and_what_it_raises_stops_the_work(db: postil.Database):
    told = []
    db.ingest([(str(at), f"Text number {at}.") for at in range(50)], progress=told.append)
    assert told[-1].documents_committed == 50 and told[-1].to_dict()["documents_read"] == 50

    def refuse(_: postil.Progress) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        db.ingest("More text.", progress=refuse)


def test_an_iterator_that_raises_keeps_what_was_committed(db: postil.Database):
    def items():
        yield "a", "Something."
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        db.ingest(items())
    assert db.ingest([("b", "Something else.")]).added == 1


def test_tokens_are_streamed_and_may_end_the_answer(full: postil.Database):
    said = []
    answer = full.ask(
        "Are trains booked by the front desk?",
        generator="quote",
        stream=lambda text, token: said.append((text, token)),
    )
    assert answer.text == "".join(text for text, _ in said).strip()
    assert all(sum(token["posterior"]) == pytest.approx(1, abs=1e-3) for _, token in said)

    def refuse(text: str, token: dict) -> None:
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        full.ask("Are trains booked by the front desk?", generator="quote", stream=refuse)


async def test_the_same_methods_are_awaited(tmp_path: Path):
    async with await postil.AsyncDatabase.open(tmp_path / "a.postil", model="hash-256") as db:
        await db.ingest(list(HANDBOOK.items()))
        hits, answer = await asyncio.gather(
            db.search("trains"), db.ask("Are trains booked by the front desk?", generator="quote")
        )
        assert hits.keys[0] == "travel.md" and "front desk" in answer.text
        assert [document.key async for document in db.documents()] == sorted(HANDBOOK)
        assert await db.count() == 3 and (await db.get("fees.md")).key == "fees.md"
        await db.remove("fees.md")
        assert (await db.stat()).documents == 2
    assert db.closed
    async with await postil.AsyncVectorDatabase.open(tmp_path / "v.postil", 2) as vs:
        await vs.upsert(["a"], [[1.0, 0.0]])
        assert (await vs.search([1.0, 0.0])).keys == ["a"]


def test_the_default_encoder_and_generator_answer(real_model: postil.Database):
    real_model.ingest(list(HANDBOOK.items()))
    answer = real_model.ask("How long is parental leave?")
    assert "20 weeks" in answer.text and answer.citations[0].document == "leave.md"
