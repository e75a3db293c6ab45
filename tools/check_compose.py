"""Checks docker-compose.yml where no Docker can: its syntax, that what services refer to exists,
and that .env.example names every variable it uses."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Final

import yaml

BASE: Final = Path(__file__).resolve().parent.parent


def mistakes(text: str, example: str) -> list[str]:
    """What is wrong with a compose file, given the example of its environment."""
    found = []
    compose: dict[str, Any] = yaml.safe_load(text)
    services = compose["services"]
    for name, service in services.items():
        if "image" not in service and "build" not in service:
            found.append(f"{name} has neither image nor build")
        found += [
            f"{name} needs {other}, which is no service"
            for other in service.get("depends_on", ())
            if other not in services
        ]
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./") and not (BASE / source).exists():
                found.append(f"{name} mounts {source}, which is not there")
            if re.fullmatch(r"\w+", source) and source not in compose.get("volumes", {}):
                found.append(f"{name} mounts the volume {source}, which is not declared")
    used = set(re.findall(r"\$\{(\w+)", text))
    offered = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    found += [f".env.example lacks {name}" for name in sorted(used - offered)]
    found += [f".env.example offers {name}, which nothing uses" for name in sorted(offered - used)]
    return found


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    found = mistakes(
        (BASE / "docker-compose.yml").read_text("utf-8"), (BASE / ".env.example").read_text("utf-8")
    )
    print("\n".join(found))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
