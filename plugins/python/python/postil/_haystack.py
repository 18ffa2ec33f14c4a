"""Haystack's documents as rows of a database, and its filters."""

import array
import base64
import json
from typing import Any

from haystack.dataclasses import ByteStream, Document, SparseEmbedding
from haystack.utils.filters import document_matches_filter

from ._errors import InputError

_COMPARISONS = {"==": "$eq", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte", "in": "$in"}


def fields(document: Document, order: int, keep_embeddings: bool) -> dict[str, Any]:
    """All of a document but its text, as metadata."""
    fields: dict[str, Any] = {"id": document.id, "order": order, "meta": document.meta}
    if document.content is None:
        fields["no_content"] = True
    if document.score is not None:
        fields["score"] = document.score
    if document.blob is not None:
        data = base64.b64encode(document.blob.data).decode()
        fields["blob"] = {"data": data, "meta": document.blob.meta, "mime_type": document.blob.mime_type}
    if document.sparse_embedding is not None:
        fields["sparse_embedding"] = document.sparse_embedding.to_dict()
    if keep_embeddings and document.embedding:
        single = array.array("f", document.embedding)
        # Embeddings of models have single precision; any others keep all their bits.
        exact = single if list(single) == list(document.embedding) else array.array("d", document.embedding)
        fields["embedding"] = {"type": exact.typecode, "data": base64.b64encode(exact.tobytes()).decode()}
    return fields


def document(row: Any, with_embedding: bool = True) -> Document:
    fields = row.metadata
    embedding = None
    if with_embedding and "embedding" in fields:
        numbers = array.array(fields["embedding"]["type"])
        numbers.frombytes(base64.b64decode(fields["embedding"]["data"]))
        embedding = numbers.tolist()
    elif with_embedding and row.vectors:
        embedding = [float(number) for number in row.vectors[0]]
    blob = None
    if "blob" in fields:
        kept = fields["blob"]
        data = base64.b64decode(kept["data"])
        blob = ByteStream(data=data, meta=kept["meta"], mime_type=kept["mime_type"])
    sparse = fields.get("sparse_embedding")
    return Document(
        id=row.key,
        content=None if fields.get("no_content") else row.text,
        blob=blob,
        meta=fields["meta"],
        score=fields.get("score"),
        embedding=embedding,
        sparse_embedding=None if sparse is None else SparseEmbedding.from_dict(sparse),
    )


def check(filters: dict[str, Any] | None) -> None:
    if filters and "operator" not in filters and "conditions" not in filters:
        raise InputError("filters have neither an operator nor conditions; see Haystack's metadata filtering")


def matches(filters: dict[str, Any], document: Document) -> bool:
    return document_matches_filter(filters=filters, document=document)


def narrowed(filters: dict[str, Any] | None) -> dict[str, Any] | None:
    """A filter of the database that every document passes which passes `filters`, if there is one.

    Haystack's own function decides about those: its filters know dates, and lists as a whole.
    """
    if not filters:
        return None
    if "field" in filters:
        field, operator, value = (filters.get(name) for name in ("field", "operator", "value"))
        numbers = isinstance(value, int | float) and not isinstance(value, bool)
        exact = numbers and operator != "in" or operator == "==" and isinstance(value, str)
        listed = operator == "in" and isinstance(value, list) and all(isinstance(one, str) for one in value)
        if operator in _COMPARISONS and isinstance(field, str) and (exact or listed):
            name = field if field.startswith("meta.") else f"meta.{field}"
            return {name: {_COMPARISONS[operator]: value}} if field not in _OWN_FIELDS else None
        return None
    parts = [narrowed(one) for one in filters.get("conditions") or []]
    if filters.get("operator") == "AND":
        kept = [part for part in parts if part]
        return {"$and": kept} if kept else None
    if filters.get("operator") == "OR" and parts and all(parts):
        return {"$or": parts}
    return None


_OWN_FIELDS = {"id", "content", "blob", "score", "embedding", "sparse_embedding"}


def different(documents: list[Document], name: str) -> dict[tuple[str, str], Any]:
    """Different values of a field, by type and JSON."""
    values = [document.meta.get(name) for document in documents]
    return {
        (type(value).__name__, json.dumps(value, sort_keys=True)): value
        for value in values
        if value is not None
    }
