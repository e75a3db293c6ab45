"""Loads code sets from readable files: criteria to reside, delay reasons, reasons for red days.

The national lists come with the software (`patients/code_sets/`); a trust's own are files of the
same form. Loading is repeatable. Nothing is deleted: a code that a file leaves out is withdrawn,
because records may use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pghistory
from django.db import transaction
from rest_framework import serializers as s

from accounts.models import Organisation
from accounts.refusals import Refused
from patients.models import Code, CodeMap, CodeSet
from patients.readable import read_entry

BUILT_IN: Final = Path(__file__).resolve().parent / "code_sets"


class _CodeEntry(s.Serializer[Any]):
    slug = s.SlugField(max_length=80)
    label = s.CharField(max_length=300)  # type: ignore[assignment]  # a declared field
    family = s.CharField(max_length=60, default="")
    owner = s.ChoiceField(choices=Code.Owner.choices, default="")
    team = s.CharField(max_length=30, default="")
    target_hours = s.IntegerField(min_value=1, max_value=10_000, default=None)
    pathways = s.ListField(child=s.IntegerField(min_value=0, max_value=3), default=list)
    becomes = s.SlugField(max_length=80, default="")
    nearest = s.BooleanField(default=False)


class _SetEntry(s.Serializer[Any]):
    slug = s.SlugField(max_length=60)
    kind = s.ChoiceField(choices=CodeSet.Kind.choices)
    title = s.CharField(max_length=200)
    source = s.CharField(max_length=500)  # type: ignore[assignment]  # a declared field
    national = s.BooleanField(default=False)
    organisation = s.CharField(max_length=40, default="")
    valid_from = s.DateField()
    valid_until = s.DateField(default=None)
    maps_to = s.SlugField(max_length=60, default="")
    codes = _CodeEntry(many=True, allow_empty=False)

    def validate_codes(self, codes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Each slug once."""
        seen: set[str] = set()
        for code in codes:
            if code["slug"] in seen:
                raise s.ValidationError(f"“{code['slug']}” stands here twice.")
            seen.add(code["slug"])
        return codes


@dataclass(slots=True)
class Loaded:
    """What a file brought: codes by what became of them."""

    title: str
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    same: int = 0


def built_in() -> list[Path]:
    """The files that come with the software, newest lists first so that older can map to them."""
    return sorted(BUILT_IN.glob("*.yaml"), reverse=True)


def built_in_reasons() -> Iterator[tuple[str, str, str]]:
    """Slug, label and family of every delay reason in those files, the current list first."""
    for file in built_in():
        entry = read_entry(file, _SetEntry)
        if entry["kind"] == CodeSet.Kind.DELAY:
            for code in entry["codes"]:
                yield code["slug"], code["label"], code["family"]


def load_codes(files: Iterable[Path], *, dry_run: bool = False) -> list[Loaded]:
    """Make the code sets equal to the files. All or nothing. Raises Refused with the reason."""
    entries = [(file, read_entry(file, _SetEntry)) for file in files]
    with transaction.atomic(), pghistory.context(deed="load_codes"):
        done = [_load(file, entry) for file, entry in entries]
        for file, entry in entries:
            _map(file, entry)
        transaction.set_rollback(dry_run)
    return done


def _load(file: Path, entry: Mapping[str, Any]) -> Loaded:
    code_set, _ = CodeSet.objects.update_or_create(
        slug=entry["slug"],
        defaults={
            "kind": entry["kind"],
            "title": entry["title"],
            "source": entry["source"],
            "is_national": entry["national"],
            "organisation": _organisation(file, entry["organisation"]),
            "valid_from": entry["valid_from"],
            "valid_until": entry["valid_until"],
        },
    )
    loaded = Loaded(code_set.title)
    stored = {code.slug: code for code in code_set.codes.all()}
    for position, said in enumerate(entry["codes"]):
        values = {
            "label": said["label"],
            "family": said["family"],
            "pathways": said["pathways"],
            "owner": said["owner"],
            "team_kind": said["team"],
            "target_hours": said["target_hours"],
            "position": position,
            "is_withdrawn": False,
        }
        code = stored.pop(said["slug"], None)
        if code is None:
            Code.objects.create(code_set=code_set, slug=said["slug"], **values)
            loaded.new.append(said["slug"])
        elif any(getattr(code, name) != value for name, value in values.items()):
            Code.objects.filter(pk=code.pk).update(**values)
            loaded.changed.append(said["slug"])
        else:
            loaded.same += 1
    gone = [code for code in stored.values() if not code.is_withdrawn]
    Code.objects.filter(pk__in=[code.pk for code in gone]).update(is_withdrawn=True)
    loaded.withdrawn = [code.slug for code in gone]
    return loaded


def _organisation(file: Path, code: str) -> Organisation | None:
    if not code:
        return None
    found = Organisation.objects.filter(code=code).first()
    if found is None:
        raise Refused(f"{file}: there is no organisation {code}. Load the places first.")
    return found


def _map(file: Path, entry: Mapping[str, Any]) -> None:
    """Keep what the codes would be under the set named in `maps_to`."""
    wanted = {code["slug"]: code for code in entry["codes"] if code["becomes"]}
    if not wanted:
        return
    others = {code.slug: code for code in Code.objects.filter(code_set__slug=entry["maps_to"])}
    if missing := sorted({code["becomes"] for code in wanted.values()} - set(others)):
        raise Refused(
            f"{file}: {', '.join(missing)}: no such code in “{entry['maps_to']}”. Load that set "
            "first, or name it in maps_to."
        )
    CodeMap.objects.filter(code__code_set__slug=entry["slug"]).delete()
    CodeMap.objects.bulk_create(
        CodeMap(
            code=code,
            other=others[wanted[code.slug]["becomes"]],
            is_exact=not wanted[code.slug]["nearest"],
        )
        for code in Code.objects.filter(code_set__slug=entry["slug"], slug__in=wanted)
    )
