#!/usr/bin/env bash
# Runs the tests of the Python package for several versions of Python, which uv installs.
#     ./plugins/python/versions.sh [3.11 3.12 3.13 ...]
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- 3.11 3.12 3.13
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    [ -x target/python/uv/bin/uv ] || { python3 -m venv target/python/uv && target/python/uv/bin/pip install --quiet uv; }
    uv=target/python/uv/bin/uv
fi
for version in "$@"; do
    printf '== Python %s\n' "$version"
    "$uv" python install --quiet "$version"
    ./plugins/python/test.sh "$("$uv" python find "$version")"
done
