"""The `postil` command."""

import os
import signal
import sys

from ._postil import run


def main() -> None:
    """Runs the command with the arguments of this process, and ends it with its exit status."""
    # Ctrl-C is the command's own affair, as where it runs without Python.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    name = "postil" if sys.argv[0].endswith("__main__.py") else sys.argv[0]
    status = run([name, *sys.argv[1:]])
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
