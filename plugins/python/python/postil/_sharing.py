"""Databases that several objects of a framework have open: one process opens a folder once."""

import os
import threading
import weakref
from typing import Any

from . import _postil

_opened: "weakref.WeakValueDictionary[tuple[str, str], Any]" = weakref.WeakValueDictionary()
_lock = threading.Lock()


def documents(path: Any, **options: Any) -> Any:
    """The database of documents at `path`, opened once for all who hold it."""
    return _shared("documents", path, lambda: _postil.open(path, **options))


def vectors(path: Any, dimension: int | None = None, metric: Any = None) -> Any:
    """The database of vectors at `path`, opened once for all who hold it."""
    return _shared("vectors", path, lambda: _postil.open_vectors(path, dimension, metric))


def _shared(kind: str, path: Any, make: Any) -> Any:
    key = (kind, os.path.realpath(os.fspath(path)))
    with _lock:
        database = _opened.get(key)
        if database is None or database.closed:
            database = make()
            _opened[key] = database
        return database
