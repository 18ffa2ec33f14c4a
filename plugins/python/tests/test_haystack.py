"""Haystack: its own tests. `test_write_documents` is overridden as its message asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("haystack")

from haystack.dataclasses import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.testing import document_store as own
from haystack.testing import document_store_async as own_async

from postil.haystack import PostilDocumentStore, PostilEmbeddingRetriever


@pytest.fixture
def document_store(tmp_path: Path) -> Iterator[PostilDocumentStore]:
    store = PostilDocumentStore(path=tmp_path / "h.postil", embedding_dim=768)
    yield store
    store.close()


class TestDocumentStore(
    own.DocumentStoreBaseExtendedTests,
    own.CountDocumentsByFilterTest,
    own.CountUniqueMetadataByFilterTest,
    own.GetMetadataFieldsInfoTest,
    own.GetMetadataFieldMinMaxTest,
    own.GetMetadataFieldUniqueValuesTest,
):
    @pytest.fixture
    def document_store(self, tmp_path: Path) -> Iterator[PostilDocumentStore]:
        store = PostilDocumentStore(path=tmp_path / "h.postil", embedding_dim=768)
        yield store
        store.close()

    def test_write_documents(self, document_store: PostilDocumentStore):
        document = Document(content="test doc")
        assert document_store.write_documents([document]) == 1
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents([document])
        self.assert_documents_are_equal(document_store.filter_documents(), [document])


class TestDocumentStoreAwaited(
    own_async.CountDocumentsAsyncTest,
    own_async.DeleteDocumentsAsyncTest,
    own_async.FilterDocumentsAsyncTest,
    own_async.DeleteAllAsyncTest,
    own_async.DeleteByFilterAsyncTest,
    own_async.UpdateByFilterAsyncTest,
    own_async.CountDocumentsByFilterAsyncTest,
    own_async.CountUniqueMetadataByFilterAsyncTest,
    own_async.GetMetadataFieldsInfoAsyncTest,
    own_async.GetMetadataFieldMinMaxAsyncTest,
    own_async.GetMetadataFieldUniqueValuesAsyncTest,
):
    pass


@pytest.mark.parametrize("keep", [True, False])
def test_documents_near_an_embedding_are_retrieved(tmp_path: Path, keep: bool):
    store = PostilDocumentStore(path=tmp_path / "r.postil", embedding_dim=2, keep_embeddings=keep)
    store.write_documents(
        [
            Document(id="east", content="east", embedding=[1.0, 0.0], meta={"n": 1}),
            Document(id="north", content="north", embedding=[0.0, 1.0], meta={"n": 2}),
            Document(id="none", content="no embedding"),
        ]
    )
    retriever = PostilEmbeddingRetriever(store, top_k=2, return_embedding=True)
    found = retriever.run([0.9, 0.1])["documents"]
    assert [one.id for one in found] == ["east", "north"] and found[0].embedding == [1.0, 0.0]
    filters = {"field": "meta.n", "operator": ">", "value": 1}
    assert [one.id for one in retriever.run([0.9, 0.1], filters)["documents"]] == ["north"]
    again = PostilEmbeddingRetriever.from_dict(retriever.to_dict())
    assert [one.id for one in again.run([0.9, 0.1])["documents"]] == ["east", "north"]
    store.close()
