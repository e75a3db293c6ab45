#!/bin/sh
# Everything that can be told of the code without running it. Goes through all checks, so that one
# run shows all that is wrong, and fails at the end if anything was.
set -u
bin=.venv/bin
failed=

run() {
  name=$1
  shift
  if output=$("$@" 2>&1); then
    echo "ok      $name"
  else
    failed="$failed $name;"
    echo "FAILED  $name"
    echo "$output" | sed 's/^/        /'
  fi
}

# Dots in brackets, so that this line does not find itself.
hosts='pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|npmmirror|yarnpkg[.]com|jsdelivr|unpkg[.]com'
hosts="$hosts|cdnjs|googleapis[.]com|gstatic[.]com|ghcr[.]io|docker[.]io|quay[.]io|[.]jfrog[.]"
hosts="$hosts|--(extra-)?index-url|--find-links"

no_download_addresses() {
  found=$(git grep -nIE "$hosts" -- ':!tools/check.sh') || true
  found="$found$(git grep -n '"resolved"' -- package-lock.json)" || true
  [ -z "$found" ] || { echo "$found"; return 1; }
}

run "ruff check" $bin/ruff check --quiet .
run "ruff format" $bin/ruff format --check --quiet .
run "mypy --strict" $bin/mypy --no-error-summary
run "import rule" $bin/lint-imports --no-cache
run "migrations" $bin/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
run "django" $bin/python manage.py check --fail-level WARNING
run "openapi" $bin/python manage.py spectacular --validate --fail-on-warn --file /dev/null
run "no download addresses" no_download_addresses
run "locks" $bin/python tools/check_locks.py
if docker compose version >/dev/null 2>&1; then
  run "docker-compose.yml" docker compose --env-file .env.example config --quiet
else
  run "docker-compose.yml" $bin/python tools/check_compose.py
fi

if [ -n "$failed" ]; then
  echo "Not well:$failed" >&2
  exit 1
fi
