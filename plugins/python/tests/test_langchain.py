"""LangChain: its own tests, unmodified, and answers with citation annotations."""

from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import postil
from conftest import HANDBOOK

pytest.importorskip("langchain_tests")

from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests

from postil.langchain import PostilAnswerer, PostilRetriever, PostilVectorStore


class TestVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Generator[VectorStore, None, None]:
        store = PostilVectorStore(embedding=self.get_embeddings(), path=tmp_path / "l.postil")
        try:
            yield store
        finally:
            store.close()


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def database(self, path: str) -> Iterator[None]:
        with postil.open(path, model="hash-256") as db:
            db.ingest(list(HANDBOOK.items()))
        yield

    @pytest.fixture
    def path(self) -> Iterator[str]:
        with TemporaryDirectory() as folder:
            self._path = f"{folder}/r.postil"
            yield self._path

    @property
    def retriever_constructor(self) -> type[PostilRetriever]:
        return PostilRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"path": self._path, "k": 3}

    @property
    def retriever_query_example(self) -> str:
        return "Who books trains?"


def test_annotations_have_byte_range_and_posterior(tmp_path: Path):
    path = tmp_path / "a.postil"
    with postil.open(path, model="hash-256") as db:
        db.ingest(list(HANDBOOK.items()))
    message = PostilAnswerer(path=path, generator="quote").invoke("Are trains booked by the front desk?")
    block = message.content_blocks[0]
    assert "front desk" in block["text"] == message.text
    annotation = block["annotations"][0]
    begin, end = annotation["extras"]["byte_range"]
    document = HANDBOOK[annotation["extras"]["document"]].encode()
    assert document[begin:end].decode() == annotation["cited_text"]
    assert 0 < annotation["extras"]["posterior"] <= 1
    assert block["text"][annotation["start_index"] : annotation["end_index"]].strip()


def test_diverse_documents_and_filters_are_found(tmp_path: Path):
    embeddings = VectorStoreIntegrationTests.get_embeddings()
    texts, metadata = ["a", "b", "c"], [{"at": at} for at in range(3)]
    store = PostilVectorStore.from_texts(texts, embeddings, metadata, path=tmp_path / "s.postil")
    assert len(store.max_marginal_relevance_search("a", k=2)) == 2
    assert [one.page_content for one in store.similarity_search("a", filter="at > 1")] == ["c"]
    assert all(0 <= score <= 1 for _, score in store.similarity_search_with_relevance_scores("a"))
    store.delete(filter={"at": 0})
    store.close()
    again = PostilVectorStore(embeddings, tmp_path / "s.postil")
    assert len(again.similarity_search("a")) == 2
    again.close()
