#!/usr/bin/env bash
# Builds the wheel and runs the tests of the Python package in a fresh environment, for one version of Python.
# Where the package index cannot be reached, it says so, and passes.
#     ./plugins/python/test.sh [PYTHON] [ARGUMENT OF PYTEST ...]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${1:-python3}
shift || true
say() { printf '%s\n' "$*"; }
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
    say "python: skipped, it needs Python 3.11 or later"
    exit 0
fi
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
environment=target/python/$version
requirements=plugins/python/requirements.txt
if ! cmp -s "$requirements" "$environment/installed.txt"; then
    rm -rf "$environment"
    if ! "$python" -m venv "$environment"; then
        say "python: skipped, no virtual environment can be made; Debian has it as python3-venv"
        rm -rf "$environment"
        exit 0
    fi
    if ! timeout 600 "$environment/bin/pip" install --quiet --requirement "$requirements" 2> "$environment/pip.log"; then
        say "python: skipped, the package index was not reached: $(tail -n 1 "$environment/pip.log")"
        rm -rf "$environment"
        exit 0
    fi
    cp "$requirements" "$environment/installed.txt"
fi
# The profile of the tests, whose dependencies are built already.
wheels=$PWD/target/python/wheels
rm -rf "$wheels"
PATH=$PWD/$environment/bin:$PATH "$environment/bin/maturin" build --quiet --locked --profile dev --strip \
    --compatibility linux --manifest-path plugins/python/Cargo.toml --interpreter "$environment/bin/python" --out "$wheels"
"$environment/bin/pip" install --quiet --force-reinstall --no-deps "$wheels"/*.whl
cd plugins/python
# Not from the source tree, which has no extension module.
exec timeout 900 "../../$environment/bin/python" -m pytest -q -p no:cacheprovider "$@"
