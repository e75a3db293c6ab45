"""Whether a bed can be had at all, what sort it is, when it is ready and how far it is.

Pure: no Django. Each rule is a function of a person, a bed, the setting and the rule book; None
means that it has nothing against the bed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from wards.suitability.facts import CORRIDOR, Bed, BedState, Needs
from wards.suitability.findings import Finding
from wards.suitability.rulebook import RuleBook
from wards.suitability.ruling import Rule, said_of, ward_name
from wards.suitability.setting import OTHER_SITE, SAME_BAY, SAME_SITE, SAME_WARD, Setting

_STATES: Final = {
    BedState.NEEDS_CLEANING.value: "needs cleaning",
    BedState.BEING_CLEANED.value: "being cleaned",
    BedState.OCCUPIED.value: "still occupied",
}
_WHERE: Final = {
    SAME_WARD: "to another bay of the ward",
    SAME_SITE: "to another ward of the site",
    OTHER_SITE: "to another site",
}


def closed(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The bed, its bay or its ward is out of use. NHS England, KH03 and UEC Daily SitRep: a closed
    bed is not available."""
    if bed.state != BedState.CLOSED:
        return None
    return book.lines["closed"].finding(said_of(bed, setting))


def occupied(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Somebody lies in it, and nobody expects it free within `hours` with a chance of at least
    `least_chance`. Local: one patient per bed."""
    if bed.state != BedState.OCCUPIED:
        return None
    line = book.lines["occupied"]
    latest = setting.at + timedelta(hours=line.number("hours"))
    if (
        bed.ready_at is not None
        and bed.ready_at <= latest
        and bed.chance >= line.number("least_chance")
    ):
        return None
    return line.finding(said_of(bed, setting))


def reserved(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Held for somebody else: a reservation is for a named person and blocks all others (NSW
    Health, Patient Flow Portal bed board: unavailable - reserved)."""
    held = bed.reserved_for is not None or bed.state == BedState.RESERVED
    if not held or bed.reserved_for == needs.key:
        return None
    return book.lines["reserved"].finding(said_of(bed, setting))


def not_a_bed(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A theatre, clinic, discharge lounge, or place not recognised yet is nowhere to be
    admitted to. Local."""
    line = book.lines["not_a_bed"]
    if setting.ward_of(bed).kind not in line.names("kinds"):
        return None
    return line.finding(said_of(bed, setting))


def place_kind(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Which kinds of ward a kind of need may go to: the parameter named after the need lists
    them; where it lists none, all. Local."""
    line = book.lines["place_kind"]
    kind = setting.ward_of(bed).kind
    allowed = line.names(needs.kind)
    if not allowed or kind in allowed:
        return None
    return line.finding(said_of(bed, setting), kind=kind.replace("_", " "))


def bed_kind(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Who is admitted needs a bed, not a trolley or chair (KH03 counts beds); the kinds of need in
    `sitting` may have either, and anybody on the kinds of ward in `sitting_wards`. A place without
    a bed is for the kinds of ward in `place_wards`."""
    line = book.lines["bed_kind"]
    if bed.kind in ("bed", "cot"):
        return None
    kind = setting.ward_of(bed).kind
    if bed.kind == "place":
        fits = kind in line.names("place_wards")
    else:
        fits = needs.kind in line.names("sitting") or kind in line.names("sitting_wards")
    return None if fits else line.finding(said_of(bed, setting), bed_kind=bed.kind)


def cot(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A cot is for a child under `under` years. Local."""
    line = book.lines["cot"]
    if bed.kind != "cot" or (needs.age is not None and needs.age < line.number("under")):
        return None
    return line.finding(said_of(bed, setting))


def wanted_ward(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Another ward was asked for. Local."""
    if needs.wanted_ward is None or needs.wanted_ward == bed.ward:
        return None
    wanted = setting.hospital.wards.get(needs.wanted_ward)
    name = ward_name(wanted) if wanted else "another ward"
    return book.lines["wanted_ward"].finding(said_of(bed, setting), wanted=name)


def ring_fence(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The ward is kept for elective patients. GIRFT, elective hubs and ring-fenced beds; Kettering
    and NHS AI Lab, bed allocation: no non-elective."""
    if needs.elective or not setting.ward_of(bed).ring_fenced:
        return None
    return book.lines["ring_fence"].finding(said_of(bed, setting))


def elective_elsewhere(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """An elective patient takes a bed that emergencies could use. Local."""
    if not needs.elective or setting.ward_of(bed).ring_fenced:
        return None
    return book.lines["elective_elsewhere"].finding(said_of(bed, setting))


def escalation(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A bed beyond the funded ones. NHS England, UEC Daily SitRep: core and escalation beds are
    counted apart."""
    if bed.funding != "escalation":
        return None
    return book.lines["escalation"].finding(said_of(bed, setting))


def corridor(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A space not designed for patients. NHS England, Principles for providing patient care in
    corridors (December 2025)."""
    if CORRIDOR not in bed.features:
        return None
    return book.lines["corridor"].finding(said_of(bed, setting))


def corridor_group(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Groups for whom a corridor is never acceptable, children and NEWS2 above 5 among them. NHS
    England, Principles for providing patient care in corridors (December 2025)."""
    if CORRIDOR not in bed.features or not needs.corridor_groups:
        return None
    groups = ", ".join(sorted(needs.corridor_groups)).replace("_", " ")
    return book.lines["corridor_group"].finding(said_of(bed, setting), groups=groups)


def minutes_until_ready(bed: Bed, setting: Setting, book: RuleBook) -> float:
    """Minutes until the bed can be used: 0 for one that is ready, `cleaning_minutes` of the rule
    `not_ready` for one to be cleaned of which nobody knows when."""
    if bed.ready_at is not None:
        return max(0.0, (bed.ready_at - setting.at).total_seconds() / 60)
    if bed.state in (BedState.NEEDS_CLEANING, BedState.BEING_CLEANED):
        line = book.lines.get("not_ready")
        return line.number("cleaning_minutes") if line else 60 * book.cleaning_hours
    return 0.0


def not_ready(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The weight for each hour until the bed is ready, times the urgency. Local."""
    minutes = minutes_until_ready(bed, setting, book)
    if minutes <= 0:
        return None
    line = book.lines["not_ready"]
    urgency = line.number(f"urgency_{needs.priority}")
    wait = f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.0f} hours"
    return line.finding(
        said_of(bed, setting),
        cost=line.weight * urgency * minutes / 60,
        wait=wait,
        state=_STATES.get(bed.state, "not ready"),
    )


def chance(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The bed may not come free by then: the weight times the chance that it does not. Local."""
    if bed.chance >= 1:
        return None
    line = book.lines["chance"]
    percent = f"{100 * bed.chance:.0f} %"
    cost = line.weight * (1 - bed.chance)
    return line.finding(said_of(bed, setting), cost=cost, percent=percent)


def distance(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The weight for each step from where they are (`setting`). Moves between wards prolong the
    stay and raise the risk of falls, delirium and infection. Local."""
    steps = setting.distance(needs, bed)
    if steps is None or steps == SAME_BAY:
        return None
    line = book.lines["distance"]
    return line.finding(said_of(bed, setting), cost=line.weight * steps, where=_WHERE[steps])


RULES: Final = (
    Rule("closed", closed, lambda n, s: None, lambda b, s: b.state),
    Rule("occupied", occupied, lambda n, s: None, lambda b, s: (b.state, b.ready_at, b.chance)),
    Rule("reserved", reserved, lambda n, s: n.key,
         lambda b, s: (b.state == BedState.RESERVED, b.reserved_for)),
    Rule("not_a_bed", not_a_bed, lambda n, s: None, lambda b, s: s.ward_of(b).kind),
    Rule("place_kind", place_kind, lambda n, s: n.kind, lambda b, s: s.ward_of(b).kind),
    Rule("bed_kind", bed_kind, lambda n, s: n.kind, lambda b, s: (b.kind, s.ward_of(b).kind)),
    Rule("cot", cot, lambda n, s: n.age, lambda b, s: b.kind),
    Rule("wanted_ward", wanted_ward, lambda n, s: n.wanted_ward, lambda b, s: b.ward),
    Rule("ring_fence", ring_fence, lambda n, s: n.elective, lambda b, s: s.ward_of(b).ring_fenced),
    Rule("elective_elsewhere", elective_elsewhere, lambda n, s: n.elective,
         lambda b, s: s.ward_of(b).ring_fenced),
    Rule("escalation", escalation, lambda n, s: None, lambda b, s: b.funding),
    Rule("corridor", corridor, lambda n, s: None, lambda b, s: CORRIDOR in b.features),
    Rule("corridor_group", corridor_group, lambda n, s: n.corridor_groups,
         lambda b, s: CORRIDOR in b.features),
    Rule("not_ready", not_ready, lambda n, s: n.priority, lambda b, s: (b.state, b.ready_at)),
    Rule("chance", chance, lambda n, s: None, lambda b, s: b.chance),
    Rule("distance", distance,
         lambda n, s: n.place and (n.place.site, n.place.ward, n.place.bay),
         lambda b, s: (s.ward_of(b).site, b.ward, b.bay)),
)  # fmt: skip
