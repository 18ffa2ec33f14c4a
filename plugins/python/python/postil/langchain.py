"""Postil in LangChain: a vector store, a retriever, and answers whose citations are exact.

store = PostilVectorStore(embedding=embeddings, path="notes.postil")
retriever = PostilRetriever(path="handbook.postil", k=3)
message = PostilAnswerer(path="handbook.postil").invoke("How long is parental leave?")
message.content_blocks[0]["annotations"]
"""

import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

try:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.messages import AIMessage
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import RunnableConfig, RunnableSerializable
    from langchain_core.vectorstores import VectorStore
    from langchain_core.vectorstores.utils import maximal_marginal_relevance
    from pydantic import ConfigDict, PrivateAttr
except ImportError as error:
    raise ImportError("postil.langchain needs langchain-core: pip install 'postil[langchain]'") from error

from . import _sharing
from ._errors import InputError

__all__ = ["PostilAnswerer", "PostilRetriever", "PostilVectorStore", "answer_message"]


class PostilVectorStore(VectorStore):
    """Documents with the vectors of any LangChain embedding, in one folder.

    `path` is made with the first documents. `metric` is that of a new database: `cosine`, `dot` or `l2`.
    Filters are those of `VectorDatabase.search`: an expression, or a dictionary.
    """

    def __init__(
        self, embedding: Embeddings, path: str | os.PathLike[str], *, metric: str | None = None
    ) -> None:
        self._embedding = embedding
        self._path = path
        self._metric = metric
        self._database: Any = None
        if os.path.exists(path):
            self._database = _sharing.vectors(path, metric=metric)

    @property
    def embeddings(self) -> Embeddings:
        """The embedding that texts are searched with."""
        return self._embedding

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Adds texts, or replaces those of the same ids; returns their ids."""
        texts = list(texts)
        given = list(ids) if ids is not None else [None] * len(texts)
        keys = [key if key is not None else str(uuid.uuid4()) for key in given]
        if not texts:
            return []
        # Of two documents with one id, the last one counts, as if they came one after another.
        last = {key: at for at, key in enumerate(keys)}
        chosen = sorted(last.values())
        vectors = self._embedding.embed_documents([texts[at] for at in chosen])
        database = self._opened(len(vectors[0]))
        database.upsert(
            [keys[at] for at in chosen],
            vectors,
            None if metadatas is None else [metadatas[at] for at in chosen],
            [texts[at] for at in chosen],
        )
        return keys

    def add_documents(self, documents: list[Document], **kwargs: Any) -> list[str]:
        """Adds documents, or replaces those of the same ids; returns their ids."""
        ids: Any = kwargs.pop("ids", None) or [document.id for document in documents]
        texts = [document.page_content for document in documents]
        return self.add_texts(texts, [document.metadata for document in documents], ids=ids, **kwargs)

    def delete(self, ids: list[str] | None = None, *, filter: Any = None, **kwargs: Any) -> bool | None:
        """Deletes documents by id, or those that pass a filter, or all where neither is given."""
        if self._database is None:
            return True
        if filter is not None:
            self._database.remove(filter=filter)
        elif ids is not None:
            self._database.remove(ids)
        else:
            self._database.remove([document.key for document in self._database.documents()])
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents of these ids that are there, in their order."""
        if self._database is None:
            return []
        return [_stored(document) for document in self._database.get(list(ids)) if document is not None]

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The documents most similar to a text."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, *, filter: Any = None, recall: float | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The documents most similar to a text, with their exact similarities."""
        if self._database is None:
            return []
        return self._by_vector(self._embedding.embed_query(query), k, filter, recall)

    def similarity_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        *,
        filter: Any = None,
        recall: float | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """The documents most similar to a vector."""
        if self._database is None:
            return []
        return [document for document, _ in self._by_vector(embedding, k, filter, recall)]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Documents that are similar to a text and unlike each other."""
        vector = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Any = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Documents that are similar to a vector and unlike each other."""
        import numpy

        if self._database is None:
            return []
        found = self._database.search(embedding, fetch_k, filter)
        documents = [document for document in self._database.get(found.keys, vectors=True) if document]
        vectors = [document.vectors[0] for document in documents]
        if not vectors:
            return []
        chosen = maximal_marginal_relevance(
            numpy.asarray(embedding, dtype="float32"), vectors, lambda_mult=lambda_mult, k=k
        )
        return [_stored(documents[at]) for at in chosen]

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict] | None = None,
        *,
        ids: list[str] | None = None,
        path: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> "PostilVectorStore":
        """Makes a store of texts at `path`, which has to be given."""
        if path is None:
            raise InputError("from_texts needs a path, where the database is made")
        store = cls(embedding, path, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def close(self) -> None:
        """Closes the database, for all stores of this process that have it open."""
        if self._database is not None:
            self._database.close()

    def _opened(self, dimension: int) -> Any:
        if self._database is None:
            self._database = _sharing.vectors(self._path, dimension, self._metric)
        return self._database

    def _by_vector(
        self, vector: list[float], k: int, filter: Any, recall: float | None
    ) -> list[tuple[Document, float]]:
        found = self._database.search(vector, k, filter, recall)
        rows = zip(found.keys, found.texts, found.metadata, found.scores, strict=True)
        return [
            (Document(id=key, page_content=text, metadata=metadata), float(score))
            for key, text, metadata, score in rows
        ]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        metric = self._database.metric if self._database is not None else self._metric or "cosine"
        if metric == "l2":
            return lambda score: 1.0 / (1.0 - score)
        return lambda score: (1.0 + score) / 2.0


def _stored(document: Any) -> Document:
    return Document(id=document.key, page_content=document.text, metadata=document.metadata)


class PostilRetriever(BaseRetriever):
    """Passages of a database of documents, by meaning and words.

    The metadata of a passage are those of its document, with `source`, `title`, `heading`, `range` (bytes
    of the original), `score` and `relevance`.
    """

    path: Any
    k: int = 4
    filter: Any = None
    recall: float | None = None
    model: Any = None

    model_config = ConfigDict(arbitrary_types_allowed=True)
    _database: Any = PrivateAttr(default=None)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        filter: Any = None,
        **kwargs: Any,
    ) -> list[Document]:
        if self._database is None or self._database.closed:
            self._database = _sharing.documents(self.path, create=False, model=self.model)
        chosen = self.filter if filter is None else filter
        hits = self._database.search(query, self.k if k is None else k, chosen, self.recall)
        return [_passage(hit) for hit in hits]


def _passage(hit: Any) -> Document:
    begin, end = hit.source_range
    place = {
        "source": hit.key,
        "title": hit.title,
        "heading": hit.heading,
        "range": [begin, end],
        "score": hit.score,
        "relevance": hit.relevance,
    }
    return Document(id=f"{hit.key}#{begin}-{end}", page_content=hit.text, metadata={**hit.metadata, **place})


class PostilAnswerer(RunnableSerializable[str, AIMessage]):
    """A question in, a message out, whose text has a citation annotation for each clause and source."""

    path: Any
    k: int = 5
    mode: str = "sequence"
    filter: Any = None
    generator: Any = None
    model: Any = None

    model_config = ConfigDict(arbitrary_types_allowed=True)
    _database: Any = PrivateAttr(default=None)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """Answers a question, given as text or as a message."""
        return self._call_with_config(self._answered, input, config, **kwargs)

    def _answered(self, question: Any) -> AIMessage:
        if self._database is None or self._database.closed:
            self._database = _sharing.documents(self.path, create=False, model=self.model)
        text = question if isinstance(question, str) else question.text
        answer = self._database.ask(text, self.k, self.mode, filter=self.filter, generator=self.generator)
        return answer_message(answer)


def answer_message(answer: Any) -> AIMessage:
    """An answer as a message: its `extras` have the byte range in the document and the posterior."""
    annotations = []
    at = 0
    for text, notes in answer.stretches:
        begin, end = at, at + len(text)
        at = end
        annotations += [_annotation(answer.citations[note], begin, end) for note in notes]
    block: dict[str, Any] = {"type": "text", "text": answer.text, "annotations": annotations}
    metadata = {
        "no_answer": answer.no_answer,
        "probability": answer.probability,
        "confidence": answer.confidence,
        "no_answer_probability": answer.no_answer_probability,
    }
    return AIMessage(content=[block], response_metadata={"postil": metadata})


def _annotation(citation: Any, begin: int, end: int) -> dict[str, Any]:
    extras = {
        "document": citation.document,
        "byte_range": list(citation.range),
        "copied_byte_range": None if citation.copied is None else list(citation.copied),
        "line": citation.line,
        "heading": citation.heading,
        "posterior": citation.posterior,
        "prior": citation.prior,
        "score": citation.score,
    }
    return {
        "type": "citation",
        "title": citation.title or citation.source,
        "start_index": begin,
        "end_index": end,
        "cited_text": citation.quote,
        "extras": extras,
    }
