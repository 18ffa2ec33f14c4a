"""The package as a whole: its README, types, command, and the time of an import."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import postil

HERE = Path(__file__).parent.parent


def test_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    exec(blocks[1], {})
    try:
        postil.open(tmp_path / "there.postil", model="all-MiniLM-L6-v2").close()
    except postil.NotFound:
        pytest.skip("the default encoder is not installed")
    exec(blocks[0], {})


def test_types_agree_with_the_module():
    said = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "postil._postil"], capture_output=True, text=True, timeout=600
    )
    assert said.returncode == 0, said.stdout + said.stderr


def test_an_import_needs_neither_numpy_nor_network():
    script = "import sys, postil; print(sorted({'numpy', 'socket', 'langchain_core'} & set(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {script}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "numpy" not in said.stdout and "langchain_core" not in said.stdout, said.stdout + said.stderr
    assert said.returncode == 0


def test_the_command_is_there(tmp_path: Path):
    def command(*arguments: object) -> subprocess.CompletedProcess:
        line = [sys.executable, "-m", "postil", *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, timeout=120)

    with postil.open(tmp_path / "d.postil", model="hash-256") as db:
        db.ingest("Trains are booked by the front desk.", key="travel.txt")
    assert command("--version").stdout.startswith("postil ")
    said = command("get", tmp_path / "d.postil", "travel.txt")
    assert (said.returncode, "front desk" in said.stdout) == (0, True), said.stderr
    assert command("stat", tmp_path / "none.postil").returncode == 1
    assert command("--nonsense").returncode == 2
