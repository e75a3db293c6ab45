"""What loading a places file would change: the file compared with what is there.

A plan holds the rows to add and to change, not yet written. It reads each level with one query,
however many beds there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Model

from accounts.models import Organisation, Team
from patients.models import EscalationStep
from wards.models import Bay, Bed, Occupancy, Site, Ward
from wards.place_entries import BedEntry, Entries, Entry, said

M = TypeVar("M", bound=Model)
Key = tuple[str, ...]


@dataclass(slots=True)
class Level(Generic[M]):
    """What becomes of the rows of one table; `notes` say what changes about a row.

    `missing` are rows below a place of the file that the file leaves out.
    """

    noun: str
    rows: dict[Key, M] = field(default_factory=dict)
    new: dict[Key, M] = field(default_factory=dict)
    changed: dict[Key, M] = field(default_factory=dict)
    notes: dict[Key, list[str]] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    missing: dict[Key, M] = field(default_factory=dict)
    met: set[Key] = field(default_factory=set)

    @property
    def same(self) -> int:
        """How many rows are as the file says already."""
        return len(self.met - self.new.keys() - self.changed.keys())

    def find(self, key: Key) -> M | None:
        """The row of a key, there already or to be added."""
        return self.new.get(key) or self.rows.get(key)

    def meet(self, key: Key, make: Callable[[], M], wanted: Mapping[str, Any]) -> M:
        """Plan for the row to be as `wanted`, where None means that it does not matter."""
        self.met.add(key)
        row = self.rows.get(key)
        if row is None:
            row = self.new[key] = make()
        for name, value in wanted.items():
            if value is not None:
                self.change(key, row, name, value)
        return row

    def change(self, key: Key, row: M, name: str, value: Any, note: str = "") -> None:
        """Plan for one field of a row to be `value`."""
        if key in self.new:
            setattr(row, name, value)
            return
        old = getattr(row, name)
        if old != value:
            setattr(row, name, value)
            self.changed[key] = row
            self.fields.add(name)
            self.notes.setdefault(key, []).append(note or _note(name, old, value))


def _note(name: str, old: Any, new: Any) -> str:
    if name == "position":
        return "moved in order"
    if name == "is_recognised":
        return "recognised"
    return f"{name}: {_told(old)} → {_told(new)}"


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, Organisation):
        return value.code
    return str(value) if value not in (None, "") else "none"


@dataclass(slots=True)
class Plan:
    """Everything that a load would do. `withdrawn` and `returned` beds are among the changed;
    `returned` says since when each had been away. `occupied` are beds that cannot be withdrawn.
    `dropped` are the steps that a ladder of the file has no longer.
    """

    at: datetime
    organisations: Level[Organisation] = field(default_factory=lambda: Level("organisation"))
    teams: Level[Team] = field(default_factory=lambda: Level("team"))
    ladders: Level[EscalationStep] = field(default_factory=lambda: Level("escalation step"))
    sites: Level[Site] = field(default_factory=lambda: Level("site"))
    wards: Level[Ward] = field(default_factory=lambda: Level("ward"))
    bays: Level[Bay] = field(default_factory=lambda: Level("bay"))
    beds: Level[Bed] = field(default_factory=lambda: Level("bed"))
    withdrawn: dict[Key, Bed] = field(default_factory=dict)
    returned: dict[Key, tuple[Bed, datetime]] = field(default_factory=dict)
    occupied: list[Key] = field(default_factory=list)
    dropped: dict[Key, EscalationStep] = field(default_factory=dict)

    def levels(self) -> list[Level[Any]]:
        """From the top down: a row's parents come before it."""
        ladders: list[Level[Any]] = [self.ladders] if self.ladders.met or self.dropped else []
        places: list[Level[Any]] = [self.sites, self.wards, self.bays, self.beds]
        return [self.organisations, self.teams, *ladders, *places]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to change."""
        return not self.dropped and not any(level.new or level.changed for level in self.levels())


@dataclass(frozen=True, slots=True)
class Since:
    """From when a bed exists that is new to a ward with beds: `at`, None for always."""

    at: datetime | None


def plan_places(entries: Entries, *, at: datetime, since: Since, withdraw: bool) -> Plan:
    """Compare the file with what is there; what cannot be is added to `entries.mistakes`.

    With `withdraw`, beds that the file leaves out go out of use at `at`.
    """
    plan = Plan(at)
    _read(plan, entries)
    _organisations(plan, entries)
    _teams(plan, entries)
    _ladders(plan, entries)
    _sites(plan, entries)
    _wards(plan, entries)
    _bays(plan, entries)
    _beds(plan, entries, since)
    _missing(plan, entries)
    if withdraw:
        _withdraw(plan)
    return plan


def _read(plan: Plan, entries: Entries) -> None:
    """What is there of everything the file may speak of: one query a table."""
    # All organisations, for one may be put below any other.
    by_key = {o.pk: o for o in Organisation.objects.all()}
    for organisation in by_key.values():
        if organisation.parent_id is not None:
            organisation.parent = by_key[organisation.parent_id]
    plan.organisations.rows = {(o.code,): o for o in by_key.values()}
    for team in Team.objects.filter(
        organisation__code__in={entry.organisation for entry in entries.teams}
    ):
        team.organisation = by_key[team.organisation_id]
        plan.teams.rows[team.organisation.code, team.code] = team
    laddered = {e.code for e in entries.organisations if e.escalation is not None}
    for rung in EscalationStep.objects.filter(organisation__code__in=laddered):
        rung.organisation = by_key[rung.organisation_id]
        plan.ladders.rows[rung.organisation.code, str(rung.level)] = rung
    codes = {entry.code for entry in entries.sites}
    for site in Site.objects.filter(code__in=codes):
        site.organisation = by_key[site.organisation_id]
        plan.sites.rows[(site.code,)] = site
    for ward in Ward.objects.filter(site__code__in=codes).select_related("site", "same_as"):
        plan.wards.rows[ward.site.code, ward.code] = ward
    names = {ward.pk: key for key, ward in plan.wards.rows.items()}
    for bay in Bay.objects.filter(ward__site__code__in=codes):
        plan.bays.rows[*names[bay.ward_id], bay.code] = bay
    rooms = {bay.pk: bay.code for bay in plan.bays.rows.values()}
    for bed in Bed.objects.filter(ward__site__code__in=codes).select_related("same_as"):
        room = "" if bed.bay_id is None else rooms[bed.bay_id]
        bed.features.sort()
        plan.beds.rows[*names[bed.ward_id], room, bed.label] = bed


def _unknown(entries: Entries, entry: Entry, noun: str, code: str) -> None:
    entries.wrong(
        entry.line,
        said(noun, entry.key),
        f"there is no organisation “{code}”, neither in this file nor loaded before; "
        "correct the code or add it.",
    )


def _organisations(plan: Plan, entries: Entries) -> None:
    level = plan.organisations
    for entry in entries.organisations:
        level.meet(
            entry.key,
            partial(Organisation, code=entry.code, name=entry.code),
            {"name": entry.name, "kind": entry.kind},
        )
    for entry in entries.organisations:
        row = level.find(entry.key)
        if entry.parent is None or row is None:
            continue
        parent = level.find((entry.parent,)) if entry.parent else None
        if entry.parent and parent is None:
            _unknown(entries, entry, "organisation", entry.parent)
        else:
            level.change(entry.key, row, "parent", parent)
    for entry in entries.organisations:
        if _is_above_itself(level.find(entry.key)):
            message = "is above itself by way of its parents; correct them."
            entries.wrong(entry.line, said("organisation", entry.key), message)


def _is_above_itself(organisation: Organisation | None) -> bool:
    seen: set[str] = set()
    above = organisation
    while above is not None and above.code not in seen:
        seen.add(above.code)
        above = above.parent
    return above is not None and above is organisation


def _teams(plan: Plan, entries: Entries) -> None:
    for entry in entries.teams:
        organisation = plan.organisations.find((entry.organisation,))
        if organisation is None:
            _unknown(entries, entry, "team", entry.organisation)
            continue
        make = partial(Team, organisation=organisation, code=entry.code, name=entry.code)
        plan.teams.meet(entry.key, make, {"name": entry.name, "kind": entry.kind})


def _ladders(plan: Plan, entries: Entries) -> None:
    """A ladder in the file is the whole ladder: steps that it has no longer are taken away."""
    for above in entries.organisations:
        organisation = plan.organisations.find(above.key)
        for entry in above.escalation or () if organisation is not None else ():
            plan.ladders.meet(
                entry.key,
                partial(EscalationStep, organisation=organisation, level=entry.level),
                {"after_hours": entry.after_hours, "title": entry.title},
            )
    plan.dropped = {
        key: rung for key, rung in plan.ladders.rows.items() if key not in plan.ladders.met
    }


def _sites(plan: Plan, entries: Entries) -> None:
    for entry in entries.sites:
        organisation = None
        if entry.organisation:
            organisation = plan.organisations.find((entry.organisation,))
            if organisation is None:
                _unknown(entries, entry, "site", entry.organisation)
        if organisation is None and entry.key not in plan.sites.rows:
            continue  # noted above, or while reading
        plan.sites.meet(
            entry.key,
            partial(Site, code=entry.code, name=entry.code),
            {
                "name": entry.name,
                "kind": entry.kind or _recognised(plan.sites.rows.get(entry.key), Site.Kind.ACUTE),
                "organisation": organisation,
                "position": entry.position,
            },
        )


def _recognised(row: Site | Ward | None, usual: str) -> str | None:
    """The kind of a place that was not recognised before and of which the file says none."""
    return usual if row is not None and row.kind == "unrecognised" else None


def _wards(plan: Plan, entries: Entries) -> None:
    for entry in entries.wards:
        site = plan.sites.find((entry.site,))
        if site is None:
            continue
        row = plan.wards.rows.get(entry.key)
        if row is not None and row.same_as is not None:
            entries.wrong(
                entry.line,
                said("ward", entry.key),
                f"was recognised as another name for ward {row.same_as.code}; "
                "describe that ward instead, or undo the mapping first.",
            )
        plan.wards.meet(
            entry.key,
            partial(Ward, site=site, code=entry.code, name=entry.code),
            {
                "name": entry.name,
                "kind": entry.kind or _recognised(row, Ward.Kind.INPATIENT),
                "specialty": entry.specialty,
                "sex": entry.sex,
                "position": entry.position,
            },
        )


def _bays(plan: Plan, entries: Entries) -> None:
    for entry in entries.bays:
        ward = plan.wards.find((entry.site, entry.ward))
        if ward is not None:
            plan.bays.meet(
                entry.key,
                partial(Bay, ward=ward, code=entry.code),
                {"name": entry.name, "sex": entry.sex, "position": entry.position},
            )


_CASELOADS = (Ward.Kind.VIRTUAL, Ward.Kind.REABLEMENT)


def _beds(plan: Plan, entries: Entries, since: Since) -> None:
    furnished = {key[:2] for key, bed in plan.beds.rows.items() if bed.is_recognised}
    for entry in entries.beds:
        ward = plan.wards.find(entry.key[:2])
        bay = plan.bays.find(entry.key[:3]) if entry.bay else None
        if ward is None or (entry.bay and bay is None):
            continue
        row = plan.beds.rows.get(entry.key)
        if row is not None and row.same_as is not None:
            entries.wrong(
                entry.line,
                said("bed", entry.key),
                f"was recognised as another name for bed {row.same_as.label}; "
                "describe that bed instead, or undo the mapping first.",
            )
        kind = Bed.Kind.PLACE if ward.kind in _CASELOADS else Bed.Kind.BED
        begins = since.at if entry.key[:2] in furnished else None
        in_use = None if begins is None else DateTimeTZRange(begins, None)
        make = partial(Bed, ward=ward, bay=bay, label=entry.label, kind=kind, in_use=in_use)
        bed = plan.beds.meet(entry.key, make, _wanted(entry))
        _bring_back(plan, entry.key, bed)


def _wanted(entry: BedEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "funding": entry.funding,
        "features": None if entry.features is None else list(entry.features),
        "position": entry.position,
        "is_recognised": True,
    }


def _bring_back(plan: Plan, key: Key, bed: Bed) -> None:
    """A bed that was withdrawn and is in the file again is in use again."""
    used = bed.in_use
    if used is None or used.upper is None or used.upper > plan.at:
        if used is not None and used.isempty:
            plan.beds.change(key, bed, "in_use", DateTimeTZRange(plan.at, None), "in use again")
        return
    plan.returned[key] = (bed, used.upper)
    plan.beds.change(key, bed, "in_use", DateTimeTZRange(used.lower, None), "in use again")


def _missing(plan: Plan, entries: Entries) -> None:
    """What the file leaves out below the places it describes; feeds' own finds do not count."""
    for key, team in plan.teams.rows.items():
        if key not in plan.teams.met:
            plan.teams.missing[key] = team
    for key, ward in plan.wards.rows.items():
        if key not in plan.wards.met and ward.is_recognised and ward.same_as is None:
            plan.wards.missing[key] = ward
    for key, bed in plan.beds.rows.items():
        if key in plan.beds.met or not bed.is_recognised or bed.same_as is not None:
            continue
        used = bed.in_use
        if used is None or not (used.isempty or (used.upper and used.upper <= plan.at)):
            plan.beds.missing[key] = bed


def _withdraw(plan: Plan) -> None:
    """End the use of the beds left out, unless somebody lies in one from now on."""
    keys = {bed.pk: key for key, bed in plan.beds.missing.items()}
    # Movements lock beds in the same order, so nobody is put into one of them meanwhile.
    list(Bed.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))
    ahead = DateTimeTZRange(plan.at, None)
    taken = Occupancy.objects.filter(bed__in=keys, period__overlap=ahead)
    plan.occupied = sorted({keys[pk] for pk in taken.values_list("bed", flat=True) if pk})
    for key, bed in plan.beds.missing.items():
        lower = bed.in_use.lower if bed.in_use else None
        ended = DateTimeTZRange(lower, plan.at)
        if lower is not None and lower >= plan.at:
            ended = DateTimeTZRange(empty=True)
        plan.withdrawn[key] = bed
        plan.beds.change(key, bed, "in_use", ended, "withdrawn")
