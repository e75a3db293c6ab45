"""Loads neighbourhoods and cohorts from readable files.

A starter set with its sources comes with the software (`patients/cohort_sets/`); a trust's own
are files of the same form. Loading is repeatable. A cohort that no file names stays as it is;
neighbourhoods are made equal to a file that names any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pghistory
from django.db import transaction
from rest_framework import serializers as s

from accounts.models import Organisation, Team
from accounts.refusals import Refused
from patients import cohorts as rules
from patients.home_areas import as_code
from patients.models import Cohort, HomeArea, Neighbourhood
from patients.readable import read_entry

BUILT_IN: Final = Path(__file__).resolve().parent / "cohort_sets"


def _checked(who: object) -> None:
    if wrong := rules.mistakes(who):
        raise s.ValidationError(wrong)


class _Who(s.JSONField):
    def __init__(self, **options: Any) -> None:
        super().__init__(validators=[_checked], **options)


class _DriverEntry(s.Serializer[Any]):
    label = s.CharField(max_length=120)  # type: ignore[assignment]  # a declared field
    points = s.IntegerField(min_value=1, max_value=100)
    who = _Who()


class _BandEntry(s.Serializer[Any]):
    name = s.CharField(max_length=60)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of the language and cannot be declared."""
        return super().get_fields() | {"from": s.IntegerField(min_value=0, max_value=1000)}


class _ScaleEntry(s.Serializer[Any]):
    source = s.CharField(max_length=500)  # type: ignore[assignment]  # a declared field
    drivers = _DriverEntry(many=True, allow_empty=False)
    bands = _BandEntry(many=True, allow_empty=False)

    def validate_bands(self, bands: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """No two bands begin at the same points."""
        if len({band["from"] for band in bands}) < len(bands):
            raise s.ValidationError("Two bands begin at the same points.")
        return bands


class _CohortEntry(s.Serializer[Any]):
    slug = s.SlugField(max_length=60)
    title = s.CharField(max_length=120)
    about = s.CharField(max_length=500, default="")
    source = s.CharField(max_length=500)  # type: ignore[assignment]  # a declared field
    organisation = s.CharField(max_length=40, default="")
    who = _Who(default=dict)
    risk = _ScaleEntry(default=None)


class _AreaEntry(s.Serializer[Any]):
    slug = s.SlugField(max_length=60)
    name = s.CharField(max_length=200)
    organisation = s.CharField(max_length=40)
    team = s.CharField(max_length=40)
    practices = s.ListField(child=s.CharField(max_length=20), default=list)
    postcodes = s.ListField(child=s.CharField(max_length=20), default=list)


class _FileEntry(s.Serializer[Any]):
    cohorts = _CohortEntry(many=True, default=list)
    neighbourhoods = _AreaEntry(many=True, default=list)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Each slug once, and something in it."""
        if not attrs["cohorts"] and not attrs["neighbourhoods"]:
            raise s.ValidationError("Give cohorts or neighbourhoods.")
        if taken := rules.TAKEN & {entry["slug"] for entry in attrs["cohorts"]}:
            told = f"“{min(taken)}” is the address of another page; choose another slug."
            raise s.ValidationError({"cohorts": [told]})
        for name in ("cohorts", "neighbourhoods"):
            slugs = [entry["slug"] for entry in attrs[name]]
            if twice := {slug for slug in slugs if slugs.count(slug) > 1}:
                raise s.ValidationError({name: [f"“{min(twice)}” stands here twice."]})
        return attrs


@dataclass(slots=True)
class Loaded:
    """What a file brought: slugs by what became of them."""

    file: str
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def built_in() -> list[Path]:
    """The files that come with the software."""
    return sorted(BUILT_IN.glob("*.yaml"))


def load_cohorts(files: Iterable[Path], *, dry_run: bool = False) -> list[Loaded]:
    """Make cohorts and neighbourhoods equal to the files. All or nothing. Raises Refused."""
    entries = [(file, read_entry(file, _FileEntry)) for file in files]
    with transaction.atomic(), pghistory.context(deed="load_cohorts"):
        done = [_load(file, entry) for file, entry in entries]
        transaction.set_rollback(dry_run)
    return done


def _load(file: Path, entry: Mapping[str, Any]) -> Loaded:
    loaded = Loaded(file.name)
    if entry["neighbourhoods"]:
        _neighbourhoods(file, entry["neighbourhoods"], loaded)
    for position, said in enumerate(entry["cohorts"]):
        scale = said["risk"] or {"source": "", "drivers": [], "bands": []}
        _keep(
            Cohort,
            said["slug"],
            {
                "title": said["title"],
                "about": said["about"],
                "source": said["source"],
                "organisation": _organisation(file, said["organisation"]),
                "who": said["who"],
                "scale_source": scale["source"],
                "drivers": [dict(driver) for driver in scale["drivers"]],
                "bands": [dict(band) for band in scale["bands"]],
                "position": position,
                "is_withdrawn": False,
                "by_id": None,
            },
            loaded,
        )
    return loaded


def _keep(
    model: type[Cohort | Neighbourhood], slug: str, values: dict[str, Any], loaded: Loaded
) -> Any:
    """The row of the slug with these values."""
    found = model.objects.filter(slug=slug).first()
    if found is None:
        loaded.new.append(slug)
        return model.objects.create(slug=slug, **values)
    if any(getattr(found, name) != value for name, value in values.items()):
        model.objects.filter(pk=found.pk).update(**values)
        loaded.changed.append(slug)
    else:
        loaded.same.append(slug)
    return found


def _neighbourhoods(file: Path, said: Sequence[Mapping[str, Any]], loaded: Loaded) -> None:
    teams = {(t.organisation.code, t.code): t for t in Team.objects.select_related("organisation")}
    wanted = _areas(file, said)
    gone = Neighbourhood.objects.exclude(slug__in=[one["slug"] for one in said])
    loaded.gone = sorted(gone.values_list("slug", flat=True))
    gone.delete()
    stored = {(a.is_practice, a.code): a for a in HomeArea.objects.select_related("neighbourhood")}
    # What another neighbourhood had is given up by it first.
    moved = [a for key, a in stored.items() if wanted.get(key) != a.neighbourhood.slug]
    HomeArea.objects.filter(pk__in=[area.pk for area in moved]).delete()
    for one in said:
        team = teams.get((one["organisation"], one["team"]))
        if team is None:
            raise Refused(
                f"{file}: {one['slug']}: there is no team {one['team']} of {one['organisation']}. "
                "Load the places first. Nothing was loaded."
            )
        kept = _keep(Neighbourhood, one["slug"], {"name": one["name"], "team": team}, loaded)
        new = [
            HomeArea(neighbourhood=kept, is_practice=is_practice, code=code)
            for (is_practice, code), slug in wanted.items()
            if slug == one["slug"]
            and ((is_practice, code) not in stored or stored[is_practice, code] in moved)
        ]
        HomeArea.objects.bulk_create(new)
        if one["slug"] in loaded.same and (
            new or any(a.neighbourhood.slug == one["slug"] for a in moved)
        ):
            loaded.same.remove(one["slug"])
            loaded.changed.append(one["slug"])


def _areas(file: Path, said: Sequence[Mapping[str, Any]]) -> dict[tuple[bool, str], str]:
    """Each practice and postcode with its neighbourhood; raises Refused where two claim one."""
    found: dict[tuple[bool, str], str] = {}
    for one in said:
        for is_practice, codes in ((True, one["practices"]), (False, one["postcodes"])):
            for text in codes:
                try:
                    key = is_practice, as_code(text, is_practice=is_practice)
                except ValueError as error:
                    raise Refused(f"{file}: {one['slug']}: {error}. Nothing was loaded.") from None
                if found.setdefault(key, one["slug"]) != one["slug"]:
                    raise Refused(
                        f"{file}: {text} is claimed by {found[key]} and by {one['slug']}. Give it "
                        "to one of them. Nothing was loaded."
                    )
    return found


def _organisation(file: Path, code: str) -> Organisation | None:
    if not code:
        return None
    found = Organisation.objects.filter(code=code).first()
    if found is None:
        raise Refused(f"{file}: there is no organisation {code}. Load the places first.")
    return found
