"""The places of a simulated system, read from the same file that Flowboard loads.

Wards and beds are numbered in file order; the engine speaks of them by these numbers, the feed
by the codes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

NORTHMOOR: Final = Path(__file__).with_name("northmoor.yaml")
NEIGHBOURHOODS: Final = Path(__file__).with_name("northmoor_neighbourhoods.yaml")
RULES: Final = Path(__file__).with_name("northmoor_rules.yaml")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where there is one
ACUTE_KINDS: Final = frozenset({"assessment", "inpatient", "critical_care"})


class PlacesError(ValueError):
    """The places file cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Bed:
    """One bed, trolley, chair or place; `room` is the code of its bay or side room, or empty,
    `room_key` tells that room from all others."""

    number: int
    ward: int
    room: str
    room_key: str
    label: str
    kind: str
    sex: str
    is_escalation: bool
    features: frozenset[str]

    @property
    def is_side_room(self) -> bool:
        """Whether its patient is alone in it."""
        return "side_room" in self.features

    def takes(self, sex: str) -> bool:
        """Whether a patient of this sex, "female" or "male", may be placed there."""
        return self.sex == sex or self.sex == "any"


@dataclass(frozen=True, slots=True)
class Ward:
    """One place with capacity; `kind` as in Flowboard's places file."""

    number: int
    code: str
    name: str
    kind: str
    specialty: str
    sex: str
    site: str
    organisation: str
    beds: tuple[Bed, ...]

    @property
    def is_acute(self) -> bool:
        """Whether it counts among the acute beds of its hospital."""
        return self.kind in ACUTE_KINDS


@dataclass(frozen=True, slots=True)
class Places:
    """Everything a places file holds that the simulation needs; `digest` tells files apart.

    `teams` are the teams that own steps, as organisation/team.
    """

    wards: tuple[Ward, ...]
    beds: tuple[Bed, ...]
    sites: Mapping[str, tuple[Ward, ...]]
    digest: str
    teams: frozenset[str] = frozenset()

    def of_site(self, site: str, *kinds: str) -> Iterator[Ward]:
        """The wards of a site, of the given kinds or all, in file order."""
        return (w for w in self.sites[site] if not kinds or w.kind in kinds)

    def of_kind(self, kind: str) -> Iterator[Ward]:
        """All wards of one kind, in file order."""
        return (w for w in self.wards if w.kind == kind)

    @property
    def acute_sites(self) -> tuple[str, ...]:
        """Sites with an emergency department, in file order."""
        return tuple(dict.fromkeys(w.site for w in self.of_kind("emergency")))

    def ward(self, code: str) -> Ward:
        """The ward with this code."""
        for ward in self.wards:
            if ward.code == code:
                return ward
        raise KeyError(code)


def load(path: Path = NORTHMOOR) -> Places:
    """Read a places file; raises PlacesError naming the entry that is wrong."""
    try:
        raw = path.read_bytes()
        content = yaml.load(raw, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except OSError as error:
        raise PlacesError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise PlacesError(f"{path}: is not YAML: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("sites"), list):
        raise PlacesError(f"{path}: needs a list called `sites`")
    wards: list[Ward] = []
    beds: list[Bed] = []
    for site in content["sites"]:
        for entry in site.get("wards") or ():
            try:
                ward = _ward(entry, site, number=len(wards), first_bed=len(beds))
            except (KeyError, TypeError, ValueError) as error:
                code = entry.get("code") if isinstance(entry, dict) else entry
                raise PlacesError(
                    f"{path}: ward {code!r}: {error!r} is missing or wrong"
                ) from error
            wards.append(ward)
            beds.extend(ward.beds)
    sites = {ward.site: tuple(w for w in wards if w.site == ward.site) for ward in wards}
    # Organisations and teams may change without making a saved world another one.
    digest = hashlib.sha256(json.dumps(content["sites"], sort_keys=True).encode())
    teams = frozenset(
        f"{t.get('organisation')}/{t.get('code')}" for t in content.get("teams") or ()
    )
    return Places(tuple(wards), tuple(beds), sites, digest.hexdigest()[:16], teams)


def _ward(
    entry: Mapping[str, Any], site: Mapping[str, Any], *, number: int, first_bed: int
) -> Ward:
    beds: list[Bed] = []
    rooms = [*(entry.get("bays") or ()), {"code": "", "beds": entry.get("beds") or 0}]
    for room in rooms:
        for bed in _beds_of(room, taken=len(beds)):
            beds.append(
                Bed(
                    number=first_bed + len(beds),
                    ward=number,
                    room=str(room["code"]),
                    room_key=f"{number}/{room['code']}",
                    label=str(bed["label"]),
                    kind=bed.get("kind", room.get("kind", "bed")),
                    sex=room.get("sex", "any"),
                    is_escalation=bed.get("funding", room.get("funding")) == "escalation",
                    features=frozenset(bed.get("features", room.get("features")) or ()),
                )
            )
    return Ward(
        number=number,
        code=str(entry["code"]),
        name=str(entry.get("name", entry["code"])),
        kind=str(entry["kind"]),
        specialty=str(entry.get("specialty") or ""),
        sex=str(entry.get("sex", "any")),
        site=str(site["code"]),
        organisation=str(site["organisation"]),
        beds=tuple(beds),
    )


def _beds_of(room: Mapping[str, Any], *, taken: int) -> list[Mapping[str, Any]]:
    """The beds of a bay: a list as it stands, a number counted on from the last label."""
    beds = room["beds"]
    if isinstance(beds, int):
        return [{"label": str(taken + n + 1)} for n in range(beds)]
    return [bed if isinstance(bed, dict) else {"label": bed} for bed in beds]
