"""What the staff have told already, kept in a small file of its own.

Should the file be lost, everything is told once more under the same keys, which changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from simulation.state import StateError

FORMAT: Final = 1


@dataclass
class Kept:
    """What was told of one stay.

    episode: its key at the receiver, 0 while unknown. expected: the first expected discharge seen.
    found: minutes of the reviews told. waits: for each slot the barrier's key (0 where it was
    refused), whether it is over, and how often it was chased. asked: for each slot the referral's
    key, how many answers were told, and whether it was declined or taken back. coming: the key of
    an episode that is only expected, 0 while unknown. needs: a mark of what was last said of what
    they need of a bed. urged: the requests of the world that more was said about.
    """

    episode: int = 0
    expected: int = 0
    found: list[int] = field(default_factory=list)
    waits: dict[str, list[int]] = field(default_factory=dict)
    asked: dict[str, list[int]] = field(default_factory=dict)
    coming: int = 0
    needs: str = ""
    urged: list[int] = field(default_factory=list)


@dataclass
class Memory:
    """What was told, by visit number, and the seed it was drawn with."""

    path: Path
    seed: int
    stays: dict[str, Kept] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, *, seed: int) -> Memory:
        """Go on from the file, with the seed in it; begin anew where there is none.

        Raises StateError for a file that is none of ours.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']}")
            stays = {visit: Kept(**kept) for visit, kept in content["stays"].items()}
            return cls(path, int(content["seed"]), stays)
        except FileNotFoundError:
            return cls(path, seed)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StateError(
                f"{path} is no file of what the staff have told ({error}): delete it, and all is "
                "told again under the same keys"
            ) from error

    def of(self, visit: str) -> Kept:
        """What was told of a stay."""
        return self.stays.setdefault(visit, Kept())

    def forget_all_but(self, visits: Collection[str]) -> None:
        """Drop stays that are over."""
        self.stays = {visit: kept for visit, kept in self.stays.items() if visit in visits}

    def save(self) -> None:
        """Write the file; a crash in between leaves the old one as it was."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        stays = {visit: asdict(kept) for visit, kept in self.stays.items()}
        content = {"format": FORMAT, "seed": self.seed, "stays": stays}
        draft.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
        os.replace(draft, self.path)
