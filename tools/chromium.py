"""Prints the path of a Chromium for the browser tests, installing one if there is none.

In this order: the one CHROMIUM names, one on PATH, one that Playwright has fetched before, the
distribution's package (as root on Debian or Ubuntu), one that Playwright fetches now.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def on_path() -> str | None:
    """The first Chromium that PATH knows."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def of_playwright() -> str | None:
    """The Chromium that Playwright has fetched, if it has."""
    try:
        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    except Error:
        return None
    return path if Path(path).exists() else None


def _tried(*command: str) -> bool:
    # Their chatter goes to standard error; standard output is for the path alone.
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, stdout=sys.stderr, env=quiet, check=False).returncode == 0


def from_distribution() -> str | None:
    """Install the distribution's package."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    print("Installing Chromium for the browser tests …", file=sys.stderr)
    if _tried("apt-get", "update", "-qq"):
        _tried("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    return on_path()


def from_playwright() -> str | None:
    """Let Playwright fetch its own."""
    print("Fetching Chromium for the browser tests …", file=sys.stderr)
    _tried(sys.executable, "-m", "playwright", "install", "chromium")
    return of_playwright()


def main() -> int:
    """Print the path, or say what to do and answer 1."""
    if named := os.environ.get("CHROMIUM"):
        if shutil.which(named):
            print(named)
            return 0
        print(f"CHROMIUM names {named}, which cannot be run.", file=sys.stderr)
        return 1
    for find in (on_path, of_playwright, from_distribution, from_playwright):
        if path := find():
            print(path)
            return 0
    print(
        "The browser tests need Chromium and none could be installed. Install it and name it: "
        "CHROMIUM=/path/to/chromium make test",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
