#!/usr/bin/env bash
# Make .venv with everything devias_mm needs. Cheap to run again: it returns at once
# while setup.py and constraints.txt are those of the last successful run.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
VENV=.venv
STAMP=$VENV/.devias_mm_setup

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 9))' || {
    echo "setup: $PYTHON is older than Python 3.9; name a newer one: make setup PYTHON=python3.11" >&2
    exit 1
}
key=$(cat setup.py constraints.txt "$0" | cksum)
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$key" ]; then
    exit 0
fi
echo "setup: installing into $VENV (about 2 minutes with a fast connection, 2 GB of disk)"

has() {  # has MODULE PYTHON: whether a module can be found
    "$2" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"
}
if [ ! -x "$VENV/bin/python" ]; then
    options=
    # a torch (built for CUDA, or for the CPU alone) or a full mmcv of the base environment is
    # kept: the new environment sees it
    if has torch "$PYTHON" || has mmcv "$PYTHON"; then
        echo "setup: keeping the torch / mmcv of $("$PYTHON" -c 'import sys; print(sys.prefix)')"
        options=--system-site-packages
    fi
    "$PYTHON" -m venv $options "$VENV"
fi
python=$VENV/bin/python
# installed versions of these win over the tested ones: they are built for this machine
skip='^$'
for package in torch:torch mmcv:mmcv-lite; do
    if has "${package%%:*}" "$python"; then skip="$skip|^${package##*:}=="; fi
done
grep -vE "$skip" constraints.txt > "$VENV/constraints.txt"
"$python" -m pip install -q --disable-pip-version-check setuptools wheel
# not isolated, so that setup.py sees whether an mmcv is there already
"$python" -m pip install -q --disable-pip-version-check --no-build-isolation \
    -e '.[test,tensorboard]' -c "$VENV/constraints.txt"
"$python" -W ignore -c 'import devias_mm; print("setup: devias_mm", devias_mm.__version__, "is ready")'
printf '%s' "$key" > "$STAMP"
