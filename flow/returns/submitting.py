"""Sending a daily return: signing it off, amending it, and what has changed since.

What was sent is frozen with the stays behind every number. Later corrections of the facts change
nothing in it; they show as differences. It may be amended for fourteen days after the day of
reporting (NHS England, process and definitions for the daily situation report web form).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Final

from django.db import transaction

from accounts.models import Organisation, User
from accounts.refusals import Refused
from flow.counts import LONDON, Clock, frozen_moment
from flow.models import DailyReturn, ReturnNumber, ReturnVersion
from flow.returns.counting import Number, counted, window
from flow.returns.definitions import Definition, Kind, definition, in_force

AMENDABLE: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Entered:
    """A number that somebody put in place of the one counted, and why: whole where beds or
    patients are counted; a rate may have decimals."""

    value: float
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a return: as sent last, as sent before that, and as counted now.

    sent, before: None where nothing was sent. why: given by whoever entered a number of their own.
    counted_then: what was counted when it was sent.
    """

    number: Number
    sent: float | None
    counted_then: float | None
    before: float | None
    why: str
    is_sent: bool

    @property
    def differs(self) -> bool:
        """Whether counting now gives another number than was sent."""
        return self.is_sent and self.sent != self.number.value


@dataclass(frozen=True, slots=True)
class Sheet:
    """The return of a day. versions: every one that was sent, the latest last."""

    definition: Definition
    organisation: Organisation
    day: date
    rows: tuple[Row, ...]
    versions: tuple[ReturnVersion, ...]

    @property
    def latest(self) -> ReturnVersion | None:
        """The version that counts."""
        return self.versions[-1] if self.versions else None

    @property
    def differences(self) -> int:
        """How many numbers would be others now."""
        return sum(row.differs for row in self.rows)

    @property
    def last_day(self) -> date:
        """Until when it may be amended."""
        return self.day + AMENDABLE


def sheet(kind: Kind, organisation: Organisation, day: date) -> Sheet:
    """The return of a day as it was sent and as it would be now. Raises Refused where no
    definition holds for the day."""
    kept = DailyReturn.objects.filter(kind=kind, organisation=organisation, day=day).first()
    rules = definition(kept.slug, kept.version) if kept is not None else in_force(kind, day)
    if rules is None:
        raise Refused("There is no definition of this return for that day.")
    versions = tuple(kept.versions.select_related("signed_by").order_by("number")) if kept else ()
    return Sheet(
        definition=rules,
        organisation=organisation,
        day=day,
        rows=tuple(_rows(counted(rules, organisation, day, known_at=None), versions)),
        versions=versions,
    )


def _rows(numbers: Sequence[Number], versions: Sequence[ReturnVersion]) -> list[Row]:
    wanted = versions[-2:]
    stored: dict[tuple[int, str], ReturnNumber] = {
        (number.of_id, number.key): number for number in ReturnNumber.objects.filter(of__in=wanted)
    }
    now = {number.key: number for number in numbers}
    last, before = (versions[-1] if versions else None), (versions[-2] if wanted[1:] else None)
    labels = {key: number.label for key, number in now.items()}
    for (_of, key), number in stored.items():
        # A line that has no code any more was sent all the same.
        labels.setdefault(key, number.label)
    rows = []
    for key, label in labels.items():
        sent = stored.get((last.pk, key)) if last else None
        earlier = stored.get((before.pk, key)) if before else None
        rows.append(
            Row(
                number=now.get(key, Number(key, label, None)),
                sent=sent.value if sent else None,
                counted_then=sent.counted if sent else None,
                before=earlier.value if earlier else None,
                why=sent.why if sent else "",
                is_sent=sent is not None,
            )
        )
    return rows


def counted_from(kind: Kind, day: date) -> datetime:
    """The first moment at which the return of a day can be counted."""
    return frozen_moment(day, Clock.SITREP) if kind == "sitrep" else window(day)[1]


def submit(
    *,
    kind: Kind,
    organisation: Organisation,
    day: date,
    by: User,
    at: datetime,
    entered: Mapping[str, Entered] | None = None,
    note: str = "",
    seen: int = 0,
) -> ReturnVersion:
    """Sign the return of a day off as it is counted now, or amend it.

    `entered` puts other numbers in place of those counted, each with its reason. `seen` is the
    number of versions that the signer saw. Raises Refused.
    """
    today = at.astimezone(LONDON).date()
    if day > today:
        raise Refused("That day has not come yet.")
    begins = counted_from(kind, day)
    if at < begins:
        raise Refused(f"It is counted at {begins:%H:%M}, which has not come yet. Sign it then.")
    if today > day + AMENDABLE:
        raise Refused("It is more than fourteen days ago; the return is closed.")
    rules = in_force(kind, day)
    if rules is None:
        raise Refused("There is no definition of this return for that day.")
    with transaction.atomic():
        kept, _ = DailyReturn.objects.get_or_create(
            kind=kind,
            organisation=organisation,
            day=day,
            defaults={"slug": rules.slug, "version": rules.version},
        )
        kept = DailyReturn.objects.select_for_update().get(pk=kept.pk)
        rules = definition(kept.slug, kept.version) or rules
        count = kept.versions.count()
        if count != seen:
            raise Refused("Somebody has sent it meanwhile. Look at it again before you amend it.")
        if count and not note.strip():
            raise Refused("Say why the return is amended.")
        numbers = counted(rules, organisation, day, known_at=None)
        _check(numbers, entered or {})
        made = ReturnVersion.objects.create(
            of=kept, number=count + 1, signed_by=by, signed_at=at, note=note.strip()
        )
        ReturnNumber.objects.bulk_create(
            _number(made, position, number, (entered or {}).get(number.key))
            for position, number in enumerate(numbers)
        )
    return made


def _number(
    made: ReturnVersion, position: int, number: Number, entered: Entered | None
) -> ReturnNumber:
    return ReturnNumber(
        of=made,
        key=number.key,
        label=number.label,
        position=position,
        value=entered.value if entered else number.value,
        counted=number.value,
        why=entered.why.strip() if entered else "",
        episodes=list(number.episodes),
    )


def _check(numbers: Sequence[Number], entered: Mapping[str, Entered]) -> None:
    known = {number.key: number for number in numbers}
    for key, said in entered.items():
        number = known.get(key)
        if number is None:
            raise Refused(f"The return has no line “{key}”.")
        if said.value < 0:
            raise Refused(f"{number.label}: a number cannot be less than nought.")
        if not isfinite(said.value):
            raise Refused(f"{number.label}: give a number.")
        if not (number.is_rate or float(said.value).is_integer()):
            raise Refused(f"{number.label}: give a whole number, as beds and patients are whole.")
        if not said.why.strip():
            raise Refused(f"{number.label}: say why the number differs from the one counted.")
