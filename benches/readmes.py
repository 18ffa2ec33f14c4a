"""Questions about packages that are not there, asked of the READMEs of others.

    python3 benches/readmes.py OUT [--questions 100]
    postil ingest OUT/readmes.postil OUT/docs
    postil eval OUT/readmes.postil OUT/questions.jsonl --mode sequence

The last two from the folder that OUT is in. The READMEs are those of the crates that Cargo.lock pins, from
cargo's own sources (`cargo fetch --locked` first): every second package, by a hash of its name, is a document;
the others are what is asked about and is not there. Kind `absent` is such a package's license, minimum Rust
version, default features, maintainer or installation. Kind `present` is the license or minimum Rust version of a
package that is there and whose README says it; these must not be withheld.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST_BYTES, MOST_BYTES = 400, 60_000
BADGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])")
RUST = re.compile(r"(?:rust|rustc|MSRV)[^.\n]{0,40}?\b(1\.\d{2}(?:\.\d+)?)\b", re.IGNORECASE)
LICENSE_ASKED = ["Which license is {} under?", "What is the license of {}?", "{} license"]
RUST_ASKED = [
    "What is the minimum supported Rust version of {}?",
    "Which Rust version does {} need at least?",
    "{} minimum rust version",
]
OTHER_ASKED = ["Which features of {} are enabled by default?", "Who maintains {}?", "How is {} installed?"]


def number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def packages():
    """Name, README, license of each package, by name, the newest version of it."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    versions = {package["name"]: package["version"] for package in locked if "source" in package}
    for name, version in sorted(versions.items()):
        for folder in home.glob(f"registry/src/*/{name}-{version}"):
            readme = next((p for p in sorted(folder.iterdir()) if p.name.lower() == "readme.md"), None)
            if readme is None or not LEAST_BYTES <= readme.stat().st_size <= MOST_BYTES:
                continue
            license = tomllib.loads((folder / "Cargo.toml").read_text())["package"].get("license", "")
            yield name, readme.read_text(encoding="utf-8", errors="replace"), license


def says(readme: str, license: str) -> bool:
    """True when a paragraph about a license, badges aside, names one of `license`, an SPDX expression."""
    names = [re.escape(part.split("-")[0]) for part in re.split(r"\s+(?:OR|AND|WITH)\s+|/", license)]
    named = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(names)})(?![a-z])")
    paragraphs = re.split(r"\n\s*\n", BADGE.sub("", readme))
    about = [n for n, paragraph in enumerate(paragraphs) if "licen" in paragraph.lower()]
    # What follows a heading, or "under either of:".
    return any(named.search("\n".join(paragraphs[n : n + 3])) for n in about)


def asked(templates: list[str], name: str) -> str:
    return templates[number(name + "?") % len(templates)].format(name)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--questions", type=int, default=100, help="of each kind, at most")
    options = arguments.parse_args()
    shutil.rmtree(options.out / "docs", ignore_errors=True)
    present, absent = [], []
    everything = list(packages())
    there = {name for name, _, _ in everything if number(name) % 2 == 0}
    text_there = "\n".join(readme for name, readme, _ in everything if name in there)
    for name, readme, license in everything:
        if name in there:
            place = options.out / "docs" / name / "README.md"
            place.parent.mkdir(parents=True)
            place.write_text(readme, encoding="utf-8")
            pid = f"{options.out.name}/docs/{name}/README.md"
            if license and says(readme, license):
                answers = list(dict.fromkeys([license, *re.split(r"\s+(?:OR|AND)\s+|/", license)]))
                present.append(
                    {
                        "question": asked(LICENSE_ASKED, name),
                        "answers": answers,
                        "pid": pid,
                        "kind": "present",
                    }
                )
            if found := RUST.search(readme):
                present.append(
                    {
                        "question": asked(RUST_ASKED, name),
                        "answers": [found[1]],
                        "pid": pid,
                        "kind": "present",
                    }
                )
        # Another README may speak of it: then it is not known to be absent.
        elif not re.search(rf"\b{re.escape(name)}\b", text_there):
            templates = [LICENSE_ASKED, RUST_ASKED, OTHER_ASKED][number(name) // 2 % 3]
            absent.append({"question": asked(templates, name), "answers": [], "kind": "absent"})

    def some(rows: list[dict]) -> list[dict]:
        return sorted(rows, key=lambda row: number(row["question"]))[: options.questions]

    chosen = some(absent) + some(present)
    with (options.out / "questions.jsonl").open("w", encoding="utf-8") as out:
        for row in chosen:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(
        f"{len(there)} documents, {len(absent)} absent and {len(present)} present could be asked, {len(chosen)} are"
    )


if __name__ == "__main__":
    main()
