#!/usr/bin/env bash
# A language model in one GGUF file: Postil beside llama-cpp-python; see language.py. The environment is made once, in
# target/peers.
#     ./benches/peers/language.sh MODEL.gguf [OPTIONS]
set -euo pipefail
cd "$(dirname "$0")/../.."
environment=target/peers/language/environment
if [ ! -x "$environment/bin/python" ]; then
    python3 -m venv "$environment"
    CMAKE_ARGS="-DGGML_NATIVE=ON" "$environment/bin/pip" install --quiet --requirement benches/peers/language.txt
fi
exec "$environment/bin/python" benches/peers/language.py "$@"
