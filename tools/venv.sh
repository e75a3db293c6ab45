#!/bin/sh
# Makes the virtual environment .venv with the Python named first, if it is not there yet.
# A Debian without python3-venv gets it when we are root; elsewhere the message says what to do.
set -eu

python=${1:-}
if [ -z "$python" ]; then
  for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null; then
      python=$candidate
      break
    fi
  done
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Flowboard needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11" >&2
  exit 1
fi

# One cut short has a Python but no pip.
if .venv/bin/python -m pip --version >/dev/null 2>&1; then
  exit 0
fi
rm -rf .venv
if "$python" -m venv .venv >/dev/null 2>&1; then
  exit 0
fi
rm -rf .venv
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing python3-venv, which this Debian's Python lacks."
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
  exec "$python" -m venv .venv
fi
"$python" -m venv .venv >&2 || true
rm -rf .venv
echo "Python's venv module is missing; on Debian or Ubuntu: apt install python3-venv" >&2
exit 1
