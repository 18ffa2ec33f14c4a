"""Postil in Haystack: a document store, and a retriever by embedding.

store = PostilDocumentStore(path="notes.postil", embedding_dim=384)
retriever = PostilEmbeddingRetriever(document_store=store)
"""

import asyncio
import dataclasses
import itertools
import os
import time
from collections.abc import Iterable
from typing import Any

try:
    from haystack import component, default_from_dict, default_to_dict
    from haystack.dataclasses import Document
    from haystack.document_stores.errors import DuplicateDocumentError
    from haystack.document_stores.types import DuplicatePolicy

    from . import _haystack as _rows
except ImportError as error:
    raise ImportError("postil.haystack needs haystack-ai: pip install 'postil[haystack]'") from error

from . import _sharing
from ._errors import InputError

__all__ = ["PostilDocumentStore", "PostilEmbeddingRetriever"]

_METRICS = {"cosine": "cosine", "dot_product": "dot", "l2": "l2"}


class PostilDocumentStore:
    """Documents in one folder, with their embeddings, if they have any, and metadata of any JSON.

    `embedding_dim` and `similarity` (`cosine`, `dot_product` or `l2`) are those of a new database. Documents
    come back with their embeddings as they were written; with `keep_embeddings=False` they take half of the
    room, and come back with the vectors that are searched, which are of unit length under cosine.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        embedding_dim: int = 768,
        similarity: str = "cosine",
        keep_embeddings: bool = True,
    ) -> None:
        if similarity not in _METRICS:
            raise InputError(f'similarity is "{similarity}", it must be one of {", ".join(_METRICS)}')
        self.path = os.fspath(path)
        self.embedding_dim = embedding_dim
        self.similarity = similarity
        self.keep_embeddings = keep_embeddings
        self._database = _sharing.vectors(self.path, embedding_dim, _METRICS[similarity])

    def to_dict(self) -> dict[str, Any]:
        """The store as a dictionary, for pipelines that are saved."""
        return default_to_dict(
            self,
            path=self.path,
            embedding_dim=self.embedding_dim,
            similarity=self.similarity,
            keep_embeddings=self.keep_embeddings,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "PostilDocumentStore":
        """The store of such a dictionary."""
        return default_from_dict(cls, data)

    def close(self) -> None:
        """Closes the database, for all stores of this process that have it open."""
        self._database.close()

    def count_documents(self) -> int:
        """Number of documents."""
        return self._database.count()

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """The documents that pass, in the order in which they were first written."""
        _rows.check(filters)
        rows = self._database.documents(_rows.narrowed(filters), texts=True, vectors=not self.keep_embeddings)
        found = [(row.metadata["order"], _rows.document(row)) for row in rows]
        if filters:
            found = [(order, document) for order, document in found if _rows.matches(filters, document)]
        return [document for _, document in sorted(found, key=lambda pair: pair[0])]

    def write_documents(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """Writes documents; returns their number. By default, a duplicate is an error."""
        is_list = isinstance(documents, Iterable) and not isinstance(documents, str)
        if not is_list or any(not isinstance(document, Document) for document in documents):
            raise InputError("write_documents needs a list of haystack Documents")
        policy = DuplicatePolicy.FAIL if policy == DuplicatePolicy.NONE else policy
        chosen: dict[str, Document] = {}
        for document in documents:
            if document.id not in chosen or policy == DuplicatePolicy.OVERWRITE:
                chosen[document.id] = document
            elif policy == DuplicatePolicy.FAIL:
                raise DuplicateDocumentError(f"document {document.id} comes twice")
        there = dict(zip(chosen, self._database.get(list(chosen)), strict=True))
        known = {key: row.metadata["order"] for key, row in there.items() if row is not None}
        if known and policy == DuplicatePolicy.FAIL:
            raise DuplicateDocumentError(f"document {next(iter(known))} is in the store already")
        if policy == DuplicatePolicy.SKIP:
            chosen = {key: document for key, document in chosen.items() if key not in known}
        order = itertools.count(time.time_ns())
        self._upsert([(known.get(key) or next(order), document) for key, document in chosen.items()])
        return len(documents) if policy == DuplicatePolicy.OVERWRITE else len(chosen)

    def delete_documents(self, document_ids: list[str]) -> None:
        """Deletes documents by id; one that is not there is no error."""
        self._database.remove(list(document_ids))

    def delete_all_documents(self) -> None:
        """Deletes all documents."""
        self._database.remove([row.key for row in self._database.documents()])

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        """Deletes the documents that pass; returns their number."""
        return self._database.remove([document.id for document in self.filter_documents(filters)])

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """Sets fields of the metadata of the documents that pass; returns their number."""
        found = self.filter_documents(filters)
        rows = self._database.get([document.id for document in found], vectors=True)
        changed = []
        for row in rows:
            if row is not None:
                fields = row.metadata
                fields["meta"] = {**fields["meta"], **meta}
                vector = row.vectors[0] if row.vectors else None
                changed.append((row.key, vector, fields, row.text))
        if changed:
            self._database.upsert(*map(list, zip(*changed, strict=True)))
        return len(changed)

    def count_documents_by_filter(self, filters: dict[str, Any]) -> int:
        """Number of documents that pass."""
        return len(self.filter_documents(filters))

    def count_unique_metadata_by_filter(
        self, filters: dict[str, Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        """Number of different values of each field, among the documents that pass."""
        found = self.filter_documents(filters)
        names = [field.removeprefix("meta.") for field in metadata_fields]
        return {name: len(_rows.different(found, name)) for name in names}

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """The type of each field of metadata: `keyword`, `int`, `float` or `boolean`."""
        types = {bool: "boolean", int: "int", float: "float"}
        fields: dict[str, dict[str, str]] = {}
        for row in self._database.documents():
            for name, value in row.metadata["meta"].items():
                if value is not None:
                    fields[name] = {"type": types.get(type(value), "keyword")}
        return fields

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """The least and the greatest value of a field; `None` where there is none."""
        name = metadata_field.removeprefix("meta.")
        rows = self._database.documents()
        values = [row.metadata["meta"].get(name) for row in rows]
        values = [value for value in values if isinstance(value, int | float | str)]
        try:
            return {"min": min(values, default=None), "max": max(values, default=None)}
        except TypeError:
            return {"min": None, "max": None}

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """Different values of a field that have a term in them, a page of them, and their number."""
        found = _rows.different(self.filter_documents(filters), metadata_field.removeprefix("meta."))
        term = (search_term or "").lower()
        values = [(str(value), kind, value) for (kind, _), value in found.items()]
        values = sorted((one for one in values if term in one[0].lower()), key=lambda one: one[:2])
        return [value for _, _, value in values[from_ : from_ + size]], len(values)

    def embedding_retrieval(
        self,
        query_embedding: list[float],
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        return_embedding: bool = False,
    ) -> list[Document]:
        """The documents nearest to an embedding, with exact scores."""
        if not query_embedding:
            raise InputError("query_embedding is empty")
        _rows.check(filters)
        filter = None
        if filters:
            filter = {"id": {"$in": [document.id for document in self.filter_documents(filters)]}}
        found = self._database.search(query_embedding, top_k, filter)
        rows = self._database.get(found.keys, vectors=return_embedding and not self.keep_embeddings)
        documents = []
        for row, score in zip(rows, found.scores, strict=True):
            if row is not None:
                document = _rows.document(row, with_embedding=return_embedding)
                documents.append(dataclasses.replace(document, score=float(score)))
        return documents

    def _upsert(self, ordered: list[tuple[int, Document]]) -> None:
        if not ordered:
            return
        documents = [document for _, document in ordered]
        self._database.upsert(
            [document.id for document in documents],
            [document.embedding or None for document in documents],
            [_rows.fields(document, order, self.keep_embeddings) for order, document in ordered],
            [document.content or "" for document in documents],
        )

    async def count_documents_async(self) -> int:
        """See `count_documents`."""
        return await asyncio.to_thread(self.count_documents)

    async def filter_documents_async(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """See `filter_documents`."""
        return await asyncio.to_thread(self.filter_documents, filters)

    async def write_documents_async(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """See `write_documents`."""
        return await asyncio.to_thread(self.write_documents, documents, policy)

    async def delete_documents_async(self, document_ids: list[str]) -> None:
        """See `delete_documents`."""
        await asyncio.to_thread(self.delete_documents, document_ids)

    async def delete_all_documents_async(self) -> None:
        """See `delete_all_documents`."""
        await asyncio.to_thread(self.delete_all_documents)

    async def delete_by_filter_async(self, filters: dict[str, Any]) -> int:
        """See `delete_by_filter`."""
        return await asyncio.to_thread(self.delete_by_filter, filters)

    async def update_by_filter_async(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """See `update_by_filter`."""
        return await asyncio.to_thread(self.update_by_filter, filters, meta)

    async def count_documents_by_filter_async(self, filters: dict[str, Any]) -> int:
        """See `count_documents_by_filter`."""
        return await asyncio.to_thread(self.count_documents_by_filter, filters)

    async def count_unique_metadata_by_filter_async(
        self, filters: dict[str, Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        """See `count_unique_metadata_by_filter`."""
        return await asyncio.to_thread(self.count_unique_metadata_by_filter, filters, metadata_fields)

    async def get_metadata_fields_info_async(self) -> dict[str, dict[str, str]]:
        """See `get_metadata_fields_info`."""
        return await asyncio.to_thread(self.get_metadata_fields_info)

    async def get_metadata_field_min_max_async(self, metadata_field: str) -> dict[str, Any]:
        """See `get_metadata_field_min_max`."""
        return await asyncio.to_thread(self.get_metadata_field_min_max, metadata_field)

    async def get_metadata_field_unique_values_async(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """See `get_metadata_field_unique_values`."""
        arguments = (metadata_field, search_term, from_, size, filters)
        return await asyncio.to_thread(self.get_metadata_field_unique_values, *arguments)

    async def embedding_retrieval_async(
        self,
        query_embedding: list[float],
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        return_embedding: bool = False,
    ) -> list[Document]:
        """See `embedding_retrieval`."""
        arguments = (query_embedding, filters, top_k, return_embedding)
        return await asyncio.to_thread(self.embedding_retrieval, *arguments)


@component
class PostilEmbeddingRetriever:
    """Retrieves the documents nearest to an embedding."""

    def __init__(
        self,
        document_store: PostilDocumentStore,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        return_embedding: bool = False,
    ) -> None:
        if not isinstance(document_store, PostilDocumentStore):
            raise InputError("document_store must be a PostilDocumentStore")
        self.document_store = document_store
        self.filters = filters
        self.top_k = top_k
        self.return_embedding = return_embedding

    def to_dict(self) -> dict[str, Any]:
        """The retriever as a dictionary, for pipelines that are saved."""
        return default_to_dict(
            self,
            document_store=self.document_store.to_dict(),
            filters=self.filters,
            top_k=self.top_k,
            return_embedding=self.return_embedding,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "PostilEmbeddingRetriever":
        """The retriever of such a dictionary."""
        store = data["init_parameters"]["document_store"]
        if isinstance(store, dict):
            data["init_parameters"]["document_store"] = PostilDocumentStore.from_dict(store)
        return default_from_dict(cls, data)

    @component.output_types(documents=list[Document])
    def run(
        self,
        query_embedding: list[float],
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
    ) -> dict[str, list[Document]]:
        """Retrieves documents; the filters given here take the place of those of the retriever."""
        found = self.document_store.embedding_retrieval(
            query_embedding, filters or self.filters, top_k or self.top_k, self.return_embedding
        )
        return {"documents": found}

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query_embedding: list[float],
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
    ) -> dict[str, list[Document]]:
        """See `run`."""
        return await asyncio.to_thread(self.run, query_embedding, filters, top_k)
