"""An embedded vector database with a RAG generator: documents in, answers with exact citations out.

import postil

with postil.open("handbook.postil") as db:
    db.ingest("handbook/leave.md")
    print(db.ask("How long is parental leave?"))
"""

import atexit as _atexit
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from ._errors import (
    Cancelled,
    Closed,
    Damaged,
    Error,
    Forked,
    InputError,
    InputTypeError,
    InternalError,
    InUse,
    NotFound,
    NotPermitted,
    SystemFailure,
    Unsupported,
)
from ._postil import (
    Alternative,
    Answer,
    Citation,
    Committed,
    Copied,
    Database,
    Document,
    Encoder,
    Found,
    Generator,
    Hit,
    Hits,
    Ingested,
    PassagePosterior,
    Place,
    Progress,
    Skipped,
    Stat,
    VectorDatabase,
    end as _end,
    open,
    open_vectors,
)

if _TYPE_CHECKING:
    from ._async import AsyncDatabase, AsyncVectorDatabase

__version__ = "0.1.0"

__all__ = [
    "Alternative",
    "Answer",
    "AsyncDatabase",
    "AsyncVectorDatabase",
    "Cancelled",
    "Citation",
    "Closed",
    "Committed",
    "Copied",
    "Damaged",
    "Database",
    "Document",
    "Encoder",
    "Error",
    "Forked",
    "Found",
    "Generator",
    "Hit",
    "Hits",
    "InUse",
    "Ingested",
    "InputError",
    "InputTypeError",
    "InternalError",
    "NotFound",
    "NotPermitted",
    "PassagePosterior",
    "Place",
    "Progress",
    "Skipped",
    "Stat",
    "SystemFailure",
    "Unsupported",
    "VectorDatabase",
    "open",
    "open_vectors",
]

# Calls of other threads end before the interpreter does: a thread that came back later would be killed.
_atexit.register(_end)


def __getattr__(name: str) -> _Any:
    # asyncio takes longer to import than all else here.
    if name in ("AsyncDatabase", "AsyncVectorDatabase"):
        from . import _async

        return getattr(_async, name)
    raise AttributeError(f"module 'postil' has no attribute {name!r}")
