"""Checks that the locks hold every dependency that `pyproject.toml` names, with hashes, and that
the version of each is the same in all of them."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Final

BASE: Final = Path(__file__).resolve().parent.parent
_PINNED: Final = re.compile(
    r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(.*(?:\n[ \t]+.*)*)", re.M
)


def normal(name: str) -> str:
    """`name` of a package as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str, wrong: list[str]) -> dict[str, str]:
    """The pinned versions of one file by package; whatever lacks a hash goes to `wrong`."""
    found = {}
    for package, version, rest in _PINNED.findall((BASE / name).read_text("utf-8")):
        found[normal(package)] = version
        if "--hash=sha256:" not in rest:
            wrong.append(f"{name}: {package} has no hash")
    return found


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    wrong: list[str] = []
    project = tomllib.loads((BASE / "pyproject.toml").read_text("utf-8"))
    plain, dev = locked("requirements.txt", wrong), locked("requirements-dev.txt", wrong)
    node = locked("requirements-node.txt", wrong)
    asked = {
        "requirements.txt": (plain, project["project"]["dependencies"]),
        "requirements-dev.txt": (dev, project["project"]["optional-dependencies"]["dev"]),
        "requirements-node.txt": (node, project["dependency-groups"]["node"]),
    }
    for name, (pinned, dependencies) in asked.items():
        for dependency in dependencies:
            package = normal(re.split(r"[\[<>=~! ;]", dependency)[0])
            if package not in pinned:
                wrong.append(f"{name} lacks {package}; run make lock")
    wrong += [
        f"{package} is {version} in requirements.txt and {dev[package]} in requirements-dev.txt"
        for package, version in plain.items()
        if dev.get(package, version) != version
    ]
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
