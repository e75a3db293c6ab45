"""Gives beds to those who claim them and writes the difference as occupancies.

The caller has locked the people. Beds whose claims change are locked here, in key order; with
them locked, nobody else can change who is in them. Until then those who give a bed to somebody
may cut our own rows in it as well, so that these are read again once it is locked. The
exclusion constraints have the last word all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from wards.arbitration import FOREVER, BedClaim, Piece, regrant
from wards.models import Bed
from wards.projection import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One occupancy. `hi` is `FOREVER` while it lasts."""

    id: int | None = None
    episode: int
    person: int
    ward: int
    bay: int | None
    bed: int | None
    wanted_bed: int | None
    lo: datetime
    hi: datetime
    claim_start: datetime
    claim_key: str
    on_leave: bool
    inferred: bool

    @property
    def claim(self) -> BedClaim:
        return BedClaim(self.claim_start, self.claim_key, self.episode)


@dataclass(slots=True)
class Change:
    """What a reprojection did.

    `wards`: whose figures changed. `displaced`: episodes of other people that lost a bed by
    it. `rows`: the occupancies, as they now stand, of the episodes projected. `episodes`: those
    of each visit, in order. `requests`: whether anything changed in who asks for a bed.
    """

    wards: set[int] = field(default_factory=set)
    displaced: set[int] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    episodes: dict[int, list[int]] = field(default_factory=dict)
    requests: bool = False


_SELECT: Final = """
    SELECT o.id, o.episode_id, o.person_id, o.ward_id, o.bay_id, o.bed_id, o.wanted_bed_id,
        lower(o.period), upper(o.period), o.claim_start, o.claim_key, o.on_leave, o.inferred
    FROM wards_occupancy o
"""
_OF_EPISODES: Final = _SELECT + "WHERE o.episode_id = ANY(%s)"
_IN_WINDOWS: Final = (
    _SELECT
    + """
    JOIN unnest(%s::int8[], %s::timestamptz[], %s::timestamptz[]) AS w(bed, lo, hi)
      ON o.wanted_bed_id = w.bed AND o.period && tstzrange(w.lo, w.hi, '[]')
    """
)
_TOUCH: Final = timedelta(microseconds=1)


def write(wanted: Mapping[int, tuple[int, Sequence[Claim]]]) -> Change:
    """Make the occupancies of these episodes equal to their claims: episode → (person, claims)."""
    ours = _rows_of(list(wanted))
    fresh = [
        Row(
            episode=episode,
            person=person,
            ward=c.place.ward,
            bay=c.place.bay,
            bed=None,
            wanted_bed=c.place.bed,
            lo=c.start,
            hi=c.end or FOREVER,
            claim_start=since,
            claim_key=key,
            on_leave=c.on_leave,
            inferred=c.inferred,
        )
        for episode, (person, claims) in wanted.items()
        for c, (since, key) in zip(claims, _tenures(claims), strict=True)
    ]
    windows = _windows(ours, fresh)
    others: list[Row] = []
    if beds := windows.keys() | _altered(ours, fresh):
        _lock_beds(beds)
        ours = _rows_of(list(wanted))
        others = _rows_in(windows, set(wanted)) if windows else []
    desired = [row for row in fresh if row.wanted_bed is None]
    desired += _granted(ours, others, [row for row in fresh if row.wanted_bed], windows)
    return _difference(ours + others, desired, set(wanted))


def _tenures(claims: Sequence[Claim]) -> list[tuple[datetime, str]]:
    """For each claim the start and key of the first of those that follow each other without a
    break in one bed: leave and return, or the bed named once more, give no precedence away."""
    tenures: list[tuple[datetime, str]] = []
    before: Claim | None = None
    for claim in claims:
        goes_on = (
            before is not None
            and claim.place.bed is not None
            and (before.end, before.place.bed) == (claim.start, claim.place.bed)
        )
        tenures.append(tenures[-1] if goes_on else (claim.start, claim.key))
        before = claim
    return tenures


def _rows_of(episodes: Sequence[int]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(_OF_EPISODES, [list(episodes)])
        return [_row(values) for values in cursor.fetchall()]


def _rows_in(windows: Mapping[int, tuple[datetime, datetime]], episodes: set[int]) -> list[Row]:
    """What others claim of these beds in or next to the windows."""
    beds = sorted(windows)
    with connection.cursor() as cursor:
        cursor.execute(
            _IN_WINDOWS,
            [
                beds,
                [windows[bed][0] - _TOUCH for bed in beds],
                [None if windows[bed][1] == FOREVER else windows[bed][1] for bed in beds],
            ],
        )
        rows = [_row(values) for values in cursor.fetchall()]
    return [row for row in rows if row.episode not in episodes]


def _row(values: tuple[object, ...]) -> Row:
    pk, episode, person, ward, bay, bed, wanted, lo, hi, start, key, leave, inferred = values
    return Row(
        id=pk,  # type: ignore[arg-type]  # a database row: its types are the columns'
        episode=episode,  # type: ignore[arg-type]
        person=person,  # type: ignore[arg-type]
        ward=ward,  # type: ignore[arg-type]
        bay=bay,  # type: ignore[arg-type]
        bed=bed,  # type: ignore[arg-type]
        wanted_bed=wanted,  # type: ignore[arg-type]
        lo=lo,  # type: ignore[arg-type]
        hi=hi or FOREVER,  # type: ignore[arg-type]
        claim_start=start,  # type: ignore[arg-type]
        claim_key=key,  # type: ignore[arg-type]
        on_leave=leave,  # type: ignore[arg-type]
        inferred=inferred,  # type: ignore[arg-type]
    )


def _windows(ours: Iterable[Row], fresh: Iterable[Row]) -> dict[int, tuple[datetime, datetime]]:
    """For each bed, the time for which our claims on it changed."""
    before: dict[tuple[int, BedClaim], datetime] = {}
    for row in ours:
        if row.wanted_bed is not None:
            name = (row.wanted_bed, row.claim)
            before[name] = max(row.hi, before.get(name, row.hi))
    after: dict[tuple[int, BedClaim], datetime] = {}
    for row in fresh:
        if row.wanted_bed is not None:
            name = (row.wanted_bed, row.claim)
            after[name] = max(row.hi, after.get(name, row.hi))
    windows: dict[int, tuple[datetime, datetime]] = {}
    for bed, claim in before.keys() | after.keys():
        old, new = before.get((bed, claim)), after.get((bed, claim))
        if old == new:
            continue
        ends = [end for end in (old, new) if end is not None]
        lo, hi = (min(ends), max(ends)) if len(ends) == 2 else (claim.start, ends[0])
        if bed in windows:
            lo, hi = min(lo, windows[bed][0]), max(hi, windows[bed][1])
        windows[bed] = (lo, hi)
    return windows


def _altered(ours: Iterable[Row], fresh: Iterable[Row]) -> set[int]:
    """The beds in which our rows will differ, by whoever's leave they hold the bed."""
    before, after = _whole(ours), _whole(fresh)
    return {row.wanted_bed for row in before ^ after if row.wanted_bed is not None}


def _whole(rows: Iterable[Row]) -> set[Row]:
    """The rows as if everybody had all they claim: neighbours that differ by that are one."""
    whole: list[Row] = []
    for row in sorted(rows, key=lambda row: (row.episode, row.lo)):
        row = replace(row, id=None, bed=None)
        last = whole[-1] if whole else None
        if last is not None and last.hi == row.lo and replace(last, lo=row.lo, hi=row.hi) == row:
            whole[-1] = replace(last, hi=row.hi)
        else:
            whole.append(row)
    return set(whole)


def _lock_beds(beds: Iterable[int]) -> None:
    rows = Bed.objects.filter(pk__in=list(beds)).order_by("pk").select_for_update(no_key=True)
    list(rows.values_list("pk", flat=True))


def _granted(
    ours: Sequence[Row],
    others: Sequence[Row],
    fresh: Sequence[Row],
    windows: Mapping[int, tuple[datetime, datetime]],
) -> list[Row]:
    """The rows of all claims on the beds concerned, ours as they will be."""
    stored: dict[tuple[int, BedClaim], list[Row]] = defaultdict(list)
    for row in ours:
        if row.wanted_bed is not None:
            stored[row.wanted_bed, row.claim].append(row)
    parts_of: dict[int, dict[BedClaim, list[Row]]] = defaultdict(lambda: defaultdict(list))
    pieces: dict[int, dict[BedClaim, list[Piece]]] = defaultdict(lambda: defaultdict(list))
    for row in fresh:
        if row.wanted_bed is not None:
            parts_of[row.wanted_bed][row.claim].append(row)
    for bed, ours_there in parts_of.items():
        for claim, parts in ours_there.items():
            pieces[bed][claim] = _carried(claim, parts, stored.get((bed, claim), []))
    for row in others:
        if row.wanted_bed is None:
            continue
        parts_of[row.wanted_bed][row.claim].append(row)
        pieces[row.wanted_bed][row.claim].append(Piece(row.lo, row.hi, row.bed is not None))
    rows: list[Row] = []
    for bed, claims in pieces.items():
        decided = regrant(claims, windows[bed]) if bed in windows else claims
        for claim, granted in decided.items():
            rows += _as_rows(bed, parts_of[bed][claim], granted)
    return rows


def _as_rows(bed: int, parts: Iterable[Row], granted: Iterable[Piece]) -> list[Row]:
    """What was granted of a claim, each row as the part of the claim it lies in says (on leave
    or not); neighbours alike in all but time become one."""
    rows: list[Row] = []
    cut = sorted(
        (
            (max(part.lo, piece.lo), min(part.hi, piece.hi), piece.held, part)
            for part in parts
            for piece in granted
        ),
        key=lambda found: found[0],
    )
    for lo, hi, held, part in cut:
        if lo >= hi:
            continue
        row = replace(part, lo=lo, hi=hi, bed=bed if held else None, id=None)
        if rows and rows[-1].hi == lo and replace(rows[-1], lo=lo, hi=hi) == row:
            rows[-1] = replace(rows[-1], hi=hi)
        else:
            rows.append(row)
    return rows


def _carried(claim: BedClaim, parts: Sequence[Row], stored: Iterable[Row]) -> list[Piece]:
    """What already stands of a claim, cut or filled up to its new end."""
    end = max(part.hi for part in parts)
    pieces = [
        Piece(row.lo, min(row.hi, end), row.bed is not None)
        for row in sorted(stored, key=lambda s: s.lo)
        if row.lo < end
    ]
    covered = pieces[-1].hi if pieces else claim.start
    if covered < end:
        pieces.append(Piece(covered, end, held=False))
    return pieces


def _difference(stored: Sequence[Row], desired: Sequence[Row], episodes: set[int]) -> Change:
    """Write only what differs: removals, then ends brought forward, then put back, then new
    rows, so that no step overlaps what the next one removes."""
    change = Change(rows=[row for row in desired if row.episode in episodes])
    waiting = {(r.episode, r.claim_key, r.claim_start, r.wanted_bed, r.lo): r for r in desired}
    removed: list[int] = []
    shorter: list[tuple[int, Row]] = []
    longer: list[tuple[int, Row]] = []
    for row in stored:
        new = waiting.get((row.episode, row.claim_key, row.claim_start, row.wanted_bed, row.lo))
        if new is not None and replace(new, id=row.id) == row:
            del waiting[(row.episode, row.claim_key, row.claim_start, row.wanted_bed, row.lo)]
            continue
        change.wards.add(row.ward)
        if row.id is None:
            continue
        if new is not None and replace(new, id=row.id, hi=row.hi) == row:
            del waiting[(row.episode, row.claim_key, row.claim_start, row.wanted_bed, row.lo)]
            (shorter if new.hi < row.hi else longer).append((row.id, new))
        else:
            removed.append(row.id)
    fresh = list(waiting.values())
    change.wards |= {row.ward for row in fresh}
    held: dict[BedClaim, list[Row]] = defaultdict(list)
    for row in stored:
        if row.bed is not None:
            held[row.claim].append(row)
    change.displaced = {
        new.episode
        for new in fresh
        if new.episode not in episodes and new.bed is None and _held_before(new, held[new.claim])
    }
    _write(removed, shorter, longer, fresh)
    return change


def _held_before(new: Row, held: Iterable[Row]) -> bool:
    """Whether the claim of `new`, which held the bed in `held`, is without it for part of that."""
    return any(row.lo < new.hi and new.lo < row.hi for row in held)


def _write(
    removed: Sequence[int],
    shorter: Sequence[tuple[int, Row]],
    longer: Sequence[tuple[int, Row]],
    fresh: Sequence[Row],
) -> None:
    with connection.cursor() as cursor:
        if removed:
            cursor.execute("DELETE FROM wards_occupancy WHERE id = ANY(%s)", [list(removed)])
        for moved in (shorter, longer):
            if moved:
                cursor.execute(
                    """
                    UPDATE wards_occupancy o SET period = tstzrange(lower(o.period), u.hi)
                    FROM unnest(%s::int8[], %s::timestamptz[]) AS u(id, hi) WHERE o.id = u.id
                    """,
                    [[pk for pk, _ in moved], [_open(row.hi) for _, row in moved]],
                )
        if fresh:
            cursor.execute(
                """
                INSERT INTO wards_occupancy (episode_id, person_id, ward_id, bay_id, bed_id,
                    wanted_bed_id, period, claim_start, claim_key, on_leave, inferred)
                SELECT episode, person, ward, bay, bed, wanted, tstzrange(lo, hi), start, key,
                    leave, inferred
                FROM unnest(%s::int8[], %s::int8[], %s::int8[], %s::int8[], %s::int8[],
                    %s::int8[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                    %s::text[], %s::bool[], %s::bool[]) AS r(episode, person, ward, bay, bed,
                    wanted, lo, hi, start, key, leave, inferred)
                """,
                [
                    [r.episode for r in fresh],
                    [r.person for r in fresh],
                    [r.ward for r in fresh],
                    [r.bay for r in fresh],
                    [r.bed for r in fresh],
                    [r.wanted_bed for r in fresh],
                    [r.lo for r in fresh],
                    [_open(r.hi) for r in fresh],
                    [r.claim_start for r in fresh],
                    [r.claim_key for r in fresh],
                    [r.on_leave for r in fresh],
                    [r.inferred for r in fresh],
                ],
            )


def _open(hi: datetime) -> datetime | None:
    return None if hi == FOREVER else hi
