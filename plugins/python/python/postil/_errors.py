"""Exceptions by kind, that is, by what a caller can do about them. Their messages are the library's."""


class Error(Exception):
    """The base of all exceptions of postil."""


class InputError(Error, ValueError):
    """The input is refused: give something else."""


class InputTypeError(InputError, TypeError):
    """A value of a type that is not taken."""


class Closed(InputError):
    """The database was closed."""


class NotFound(Error, LookupError):
    """The thing named is not there: name something else, or make it first."""


class InUse(Error):
    """Someone else holds it: try again later."""


class NotPermitted(Error):
    """Nothing may be written or read there, or not by this user."""


class Damaged(Error):
    """Bytes are not those that were written: restore a backup, rebuild, or fetch them again."""


class Unsupported(Error):
    """It may be sound, but this build cannot read it."""


class SystemFailure(Error):
    """The operating system, the document store or a model failed."""


class Cancelled(Error):
    """The work was cancelled."""


class Forked(Error):
    """The process was forked after the database was opened."""


class InternalError(Error):
    """A fault of postil itself."""
