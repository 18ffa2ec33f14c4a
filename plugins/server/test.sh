#!/usr/bin/env bash
# Drives a server with the official clients of OpenAI and MCP, unmodified, from an environment of their own.
# Where the package index cannot be reached, it says so, and passes.
#     ./plugins/server/test.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "$0")/../.."
say() { printf '%s\n' "$*"; }
program=${1:-}
if [ -z "$program" ]; then
    cargo build --workspace --bin postil --locked --quiet
    program=${CARGO_TARGET_DIR:-target}/debug/postil
fi
program=$(realpath "$program")
environment=target/clients
requirements=plugins/server/clients/requirements.txt
if ! cmp -s "$requirements" "$environment/installed.txt"; then
    rm -rf "$environment"
    if ! python3 -m venv "$environment"; then
        say "clients: skipped, no virtual environment can be made; Debian has it as python3-venv"
        rm -rf "$environment"
        exit 0
    fi
    if ! timeout 600 "$environment/bin/pip" install --quiet --requirement "$requirements" 2> "$environment/pip.log"; then
        say "clients: skipped, the package index was not reached: $(tail -n 1 "$environment/pip.log")"
        rm -rf "$environment"
        exit 0
    fi
    cp "$requirements" "$environment/installed.txt"
fi
home=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then
        kill "$server" 2> /dev/null || true
        wait "$server" 2> /dev/null || true
    fi
    rm -rf "$home"
}
trap finish EXIT
printf '# Leave\n\nEvery parent gets forty days of parental leave.\n' > "$home/leave.md"
printf 'Trains are booked by the front desk.\n' > "$home/travel.txt"
(cd "$home" && "$program" ingest d.postil leave.md travel.txt --model hash-256 > /dev/null && "$program" publish d.postil)
"$program" serve "$home/d.postil" --port 0 --write --generator quote > "$home/said" 2> "$home/log" &
server=$!
until [ -s "$home/said" ]; do
    kill -0 "$server" || { cat "$home/log"; exit 1; }
    sleep 0.1
done
address=$(awk '{print $NF}' "$home/said")
python=$environment/bin/python
timeout 300 "$python" plugins/server/clients/openai_client.py "$address"
timeout 300 "$python" plugins/server/clients/mcp_client.py "$address" "$program" "$home/d.postil"
