"""Postil in LlamaIndex: a vector store that keeps texts.

store = PostilVectorStore(path="notes.postil")
index = VectorStoreIndex.from_vector_store(store)
"""

import json
import os
from collections.abc import Sequence
from typing import Any

try:
    from llama_index.core.bridge.pydantic import PrivateAttr
    from llama_index.core.schema import BaseNode
    from llama_index.core.vector_stores.types import (
        BasePydanticVectorStore,
        FilterCondition,
        FilterOperator,
        MetadataFilter,
        MetadataFilters,
        VectorStoreQuery,
        VectorStoreQueryMode,
        VectorStoreQueryResult,
    )
    from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
except ImportError as error:
    raise ImportError(
        "postil.llama_index needs llama-index-core: pip install 'postil[llama-index]'"
    ) from error

from . import _sharing
from ._errors import InputError

__all__ = ["PostilVectorStore"]

_OPERATORS = {
    FilterOperator.EQ: "$eq",
    FilterOperator.NE: "$ne",
    FilterOperator.GT: "$gt",
    FilterOperator.GTE: "$gte",
    FilterOperator.LT: "$lt",
    FilterOperator.LTE: "$lte",
    FilterOperator.IN: "$in",
    FilterOperator.NIN: "$nin",
    FilterOperator.CONTAINS: "$contains",
}


class PostilVectorStore(BasePydanticVectorStore):
    """Nodes with their embeddings, in one folder, which is made with the first nodes.

    `metric` is that of a new database: `cosine`, `dot` or `l2`.
    """

    stores_text: bool = True
    path: str
    metric: str | None = None

    _database: Any = PrivateAttr(default=None)

    def __init__(self, path: str | os.PathLike[str], metric: str | None = None, **kwargs: Any) -> None:
        super().__init__(**{"path": os.fspath(path), "metric": metric, **kwargs})
        if os.path.exists(self.path):
            self._database = _sharing.vectors(self.path, metric=metric)

    @classmethod
    def class_name(cls) -> str:
        """Name of the class, for serialization."""
        return "PostilVectorStore"

    @property
    def client(self) -> Any:
        """The database; `None` before the first nodes."""
        return self._database

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Adds nodes, or replaces those of the same ids; returns their ids."""
        nodes = list({node.node_id: node for node in nodes}.values())
        if not nodes:
            return []
        keys = [node.node_id for node in nodes]
        vectors = [node.get_embedding() for node in nodes]
        if self._database is None:
            self._database = _sharing.vectors(self.path, len(vectors[0]), self.metric)
        metadata = [node_to_metadata_dict(node, remove_text=True, flat_metadata=False) for node in nodes]
        texts = [node.get_content() for node in nodes]
        self._database.upsert(keys, vectors, metadata, texts)
        return keys

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Deletes the nodes of a document."""
        if self._database is not None:
            self._database.remove(filter={"ref_doc_id": ref_doc_id})

    def delete_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **delete_kwargs: Any,
    ) -> None:
        """Deletes nodes by id, by filter, or those that pass both."""
        if self._database is None or (node_ids is None and filters is None):
            return
        self._database.remove(self._keys(node_ids, filters))

    def clear(self) -> None:
        """Deletes all nodes."""
        if self._database is not None:
            self._database.remove([document.key for document in self._database.documents()])

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """The nodes of these ids that pass a filter, each with its stored vector."""
        if self._database is None:
            return []
        found = self._database.get(self._keys(node_ids, filters), vectors=True)
        return [
            _node(document.metadata, document.text, document.vectors[0]) for document in found if document
        ]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The nodes nearest to the query's embedding."""
        if query.mode != VectorStoreQueryMode.DEFAULT:
            raise InputError(f"query mode {query.mode} is not supported; use VectorStoreQueryMode.DEFAULT")
        if query.query_embedding is None:
            raise InputError("a query needs an embedding")
        if self._database is None:
            return VectorStoreQueryResult(nodes=[], similarities=[], ids=[])
        conditions = [] if query.filters is None else [_filter(query.filters)]
        if query.doc_ids:
            conditions.append({"ref_doc_id": {"$in": list(query.doc_ids)}})
        if query.node_ids:
            conditions.append({"_node_id": {"$in": list(query.node_ids)}})
        conditions = [condition for condition in conditions if condition]
        filter = {"$and": conditions} if conditions else None
        found = self._database.search(query.query_embedding, query.similarity_top_k, filter)
        nodes = [_node(metadata, text) for metadata, text in zip(found.metadata, found.texts, strict=True)]
        scores = [float(score) for score in found.scores]
        return VectorStoreQueryResult(nodes=nodes, similarities=scores, ids=list(found.keys))

    def persist(self, persist_path: str, fs: Any = None) -> None:
        """Does nothing: what was added is durable."""

    def _keys(self, node_ids: list[str] | None, filters: MetadataFilters | None) -> list[str]:
        if filters is None:
            return [d.key for d in self._database.documents()] if node_ids is None else list(node_ids)
        condition = _filter(filters)
        found = [document.key for document in self._database.documents(condition or None)]
        if node_ids is None:
            return found
        wanted = set(node_ids)
        return [key for key in found if key in wanted]


def _node(metadata: dict[str, Any], text: str, vector: Any = None) -> BaseNode:
    node = metadata_dict_to_node(metadata)
    node.set_content(text)
    if vector is not None:
        node.embedding = [float(number) for number in vector]
    return node


def _filter(filters: MetadataFilters) -> dict[str, Any]:
    parts = []
    for one in filters.filters:
        part = _filter(one) if isinstance(one, MetadataFilters) else _condition(one)
        if part:
            parts.append(part)
    if not parts:
        return {}
    if filters.condition == FilterCondition.OR:
        return {"$or": parts}
    if filters.condition == FilterCondition.NOT:
        return {"$not": {"$or": parts}}
    return {"$and": parts}


def _condition(one: MetadataFilter) -> dict[str, Any]:
    if one.operator in _OPERATORS:
        return {one.key: {_OPERATORS[one.operator]: one.value}}
    values = one.value if isinstance(one.value, list) else [one.value]
    if one.operator == FilterOperator.ANY:
        return {"$or": [{one.key: {"$contains": value}} for value in values]}
    if one.operator == FilterOperator.ALL:
        return {"$and": [{one.key: {"$contains": value}} for value in values]}
    if one.operator == FilterOperator.IS_EMPTY:
        return {one.key: {"$exists": False}}
    raise InputError(f"filter operator {one.operator} is not supported, in {json.dumps(one.key)}")
