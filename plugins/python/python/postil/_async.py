"""The same methods, awaited: each runs in a thread, without the interpreter's lock."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from . import _postil


class _AsyncOpened:
    """What both kinds of databases have."""

    def __init__(self, database: Any) -> None:
        self._database = database

    @property
    def path(self) -> str:
        """Folder of the database."""
        return self._database.path

    @property
    def closed(self) -> bool:
        """True once it was closed."""
        return self._database.closed

    async def get(self, key: Any, *, vectors: bool = False) -> Any:
        """See `Database.get`."""
        return await asyncio.to_thread(self._database.get, key, vectors=vectors)

    async def remove(self, keys: Any = None, *, filter: Any = None) -> int:
        """See `Database.remove`."""
        return await asyncio.to_thread(self._database.remove, keys, filter=filter)

    async def documents(
        self, filter: Any = None, *, texts: bool = False, vectors: bool = False
    ) -> AsyncIterator[Any]:
        """See `Database.documents`: `async for document in db.documents()`."""
        found = await asyncio.to_thread(self._database.documents, filter, texts=texts, vectors=vectors)
        while (document := await asyncio.to_thread(next, found, None)) is not None:
            yield document

    async def count(self, filter: Any = None) -> int:
        """See `Database.count`."""
        return await asyncio.to_thread(self._database.count, filter)

    async def stat(self) -> Any:
        """See `Database.stat`."""
        return await asyncio.to_thread(self._database.stat)

    async def compact(self, *, progress: Any = None) -> None:
        """See `Database.compact`."""
        await asyncio.to_thread(self._database.compact, progress=progress)

    async def backup(self, to: Any, *, progress: Any = None) -> Any:
        """See `Database.backup`."""
        return await asyncio.to_thread(self._database.backup, to, progress=progress)

    async def publish(self) -> None:
        """See `Database.publish`."""
        await asyncio.to_thread(self._database.publish)

    async def refresh(self) -> bool:
        """See `Database.refresh`."""
        return await asyncio.to_thread(self._database.refresh)

    async def close(self) -> None:
        """See `Database.close`."""
        await asyncio.to_thread(self._database.close)

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncDatabase(_AsyncOpened):
    """A database of documents whose methods are awaited."""

    @classmethod
    async def open(
        cls,
        path: Any,
        *,
        create: bool = True,
        read_only: bool = False,
        model: Any = None,
        published: bool = False,
    ) -> "AsyncDatabase":
        """See `postil.open`."""
        options = {"create": create, "read_only": read_only, "model": model, "published": published}
        return cls(await asyncio.to_thread(_postil.open, path, **options))

    async def ingest(
        self, path_or_text_or_iterable: Any, *, key: Any = None, metadata: Any = None, progress: Any = None
    ) -> Any:
        """See `Database.ingest`."""
        options = {"key": key, "metadata": metadata, "progress": progress}
        return await asyncio.to_thread(self._database.ingest, path_or_text_or_iterable, **options)

    async def search(self, text: str, k: int = 10, filter: Any = None, recall: float | None = None) -> Any:
        """See `Database.search`."""
        return await asyncio.to_thread(self._database.search, text, k, filter, recall)

    async def ask(
        self,
        question: str,
        k: int = 5,
        mode: str = "sequence",
        filter: Any = None,
        generator: Any = None,
        stream: Any = None,
    ) -> Any:
        """See `Database.ask`."""
        return await asyncio.to_thread(self._database.ask, question, k, mode, filter, generator, stream)


class AsyncVectorDatabase(_AsyncOpened):
    """A database of vectors whose methods are awaited."""

    @classmethod
    async def open(
        cls,
        path: Any,
        dimension: int | None = None,
        metric: Any = None,
        *,
        create: bool = True,
        read_only: bool = False,
        published: bool = False,
    ) -> "AsyncVectorDatabase":
        """See `postil.open_vectors`."""
        options = {"create": create, "read_only": read_only, "published": published}
        return cls(await asyncio.to_thread(_postil.open_vectors, path, dimension, metric, **options))

    @property
    def dimension(self) -> int:
        """Number of components of every vector."""
        return self._database.dimension

    @property
    def metric(self) -> str:
        """Metric by which vectors are compared."""
        return self._database.metric

    async def upsert(self, keys: Any, vectors: Any, metadata: Any = None, texts: Any = None) -> Any:
        """See `VectorDatabase.upsert`."""
        return await asyncio.to_thread(self._database.upsert, keys, vectors, metadata, texts)

    async def search(
        self, vector_or_matrix: Any, k: int = 10, filter: Any = None, recall: float | None = None
    ) -> Any:
        """See `VectorDatabase.search`."""
        return await asyncio.to_thread(self._database.search, vector_or_matrix, k, filter, recall)
