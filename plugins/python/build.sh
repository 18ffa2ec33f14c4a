#!/usr/bin/env bash
# Builds the wheels of the Python package into target/wheels: manylinux, and musllinux where zig is there.
#     ./plugins/python/build.sh [PROFILE] [OPTION OF MATURIN ...]      (release by default)
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${1:-release}
shift || true
out=${CARGO_TARGET_DIR:-target}/wheels
maturin=$(command -v maturin || true)
if [ -z "$maturin" ]; then
    environment=target/python/build
    [ -x "$environment/bin/maturin" ] || { python3 -m venv "$environment" && "$environment/bin/pip" install --quiet "maturin[zig]==1.16.0"; }
    maturin=$environment/bin/maturin
    PATH=$PWD/$environment/bin:$PATH
fi
"$maturin" build --locked --manifest-path plugins/python/Cargo.toml --profile "$profile" --out "$out" "$@"
[ "$profile" = release ] || exit 0
musl=$(uname -m)-unknown-linux-musl
if python3 -c "import ziglang" 2> /dev/null || command -v zig > /dev/null; then
    if rustup target list --installed 2> /dev/null | grep -q "$musl"; then
        "$maturin" build --locked --manifest-path plugins/python/Cargo.toml --profile release --out "$out" \
            --target "$musl" --zig "$@"
    else
        echo "no wheel for musl: rustup target add $musl" >&2
    fi
else
    echo "no wheel for musl: it needs zig, as pip install ziglang brings it" >&2
fi
