#!/usr/bin/env bash
# Vector search beside its peers; see search.py. The environment is made once, in target/peers.
#     ./benches/peers/search.sh [VECTORS] [OUT] [NAME,NAME,...] [EF,EF,...]
set -euo pipefail
cd "$(dirname "$0")/../.."
environment=target/peers/search
if [ ! -x "$environment/bin/python" ]; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --requirement benches/peers/search.txt
fi
exec "$environment/bin/python" benches/peers/search.py "${1:-../shared/data/vectors}" "${2:-target/peers/results}" ${3:+"$3"} ${4:+"$4"}
