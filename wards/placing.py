"""Whether a bed may be given to somebody by the rules in force, and keeping what was overridden."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from patients.models import Episode
from wards.facts import Place
from wards.matching import Soon, setting_at
from wards.models import BedRequest, Movement, Override, RequestTerms, Reservation
from wards.needing import needs_of
from wards.rule_books import Stored, book_for
from wards.scope import scope_of
from wards.suitability.findings import Finding
from wards.suitability.judging import judge
from wards.suitability.setting import Setting


class Unsuitable(Refused):
    """A rule forbids the bed. `findings`: which, each with its words. `may_override`: whether this
    user may set all of them aside by giving a reason."""

    def __init__(self, findings: Sequence[Finding], *, may_override: bool) -> None:
        words = " ".join(one.text for one in findings)
        way = " If it is right all the same, say why." if may_override else " Choose another bed."
        super().__init__(words + way)
        self.findings = tuple(findings)
        self.may_override = may_override


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the rules said of giving a bed, and why it is right all the same."""

    episode: Episode
    bed: int | None
    stored: Stored | None
    against: tuple[Finding, ...]
    """The findings that refuse and are overridden."""
    reason: str
    by: User | None


def check_suits(
    *,
    episode: Episode,
    place: Place,
    at: datetime,
    by: User | None,
    reason: str = "",
    request: BedRequest | None = None,
    setting: Setting | None = None,
) -> Weighed:
    """Weigh the bed for this patient; raise Unsuitable where a hard rule refuses it and is not
    overridden.

    `reason`: why it is right against the rules; it counts where all that refuse may be overridden
    and the user may do so on the ward (MANAGE_BEDS). Without rules for the site, or a bed, nothing
    is weighed. `setting`: the beds as they will be, where they are known already.
    """
    nothing = Weighed(episode, place.bed, None, (), reason, by)
    if place.bed is None:
        return nothing
    stored = book_for(ward=place.ward, at=at)
    if stored is None:
        return nothing
    setting = setting or setting_at(at=at, wards=[place.ward])
    if place.bed not in setting.beds:
        return nothing
    requests = {episode.pk: request} if request is not None else {}
    needs = needs_of([episode.pk], at=at, requests=requests, terms=_terms(request))[episode.pk]
    judged = judge(needs, setting.beds[place.bed], setting, stored.book)
    settled = _set_aside(episode, place.bed, at)
    refusing = tuple(one for one in judged.refusals if one.code not in settled)
    if refusing:
        may = all(one.overridable for one in refusing) and may_override(by, place.ward)
        if not (may and reason.strip()):
            raise Unsuitable(refusing, may_override=may)
    return Weighed(episode, place.bed, stored, refusing, reason.strip(), by)


def _set_aside(episode: Episode, bed: int, at: datetime) -> frozenset[str]:
    """The rules that were set aside when this bed was held for them: whoever takes them there
    decides nothing anew."""
    rows = Override.objects.filter(
        episode=episode,
        bed=bed,
        reservation__status=Reservation.Status.HELD,
        reservation__period__contains=at,
    )
    return frozenset(rows.values_list("rule", flat=True))


def may_override(by: User | None, ward: int) -> bool:
    """Whether somebody may set a rule aside that may be: who manages the ward's beds."""
    return by is not None and scope_of(by).may(Permission.MANAGE_BEDS, ward)


def keep_overrides(
    weighed: Weighed,
    *,
    deed: Override.Deed,
    at: datetime,
    movement: Movement | None = None,
    reservation: Reservation | None = None,
) -> list[Override]:
    """Keep who gave the bed against which rule, and why."""
    if weighed.bed is None or weighed.by is None or weighed.stored is None:
        return []
    return Override.objects.bulk_create(
        Override(
            episode=weighed.episode,
            bed_id=weighed.bed,
            book_id=weighed.stored.pk,
            rule=one.code,
            said=one.text[:500],
            breach=one.breach,
            deed=deed,
            reason=weighed.reason[:500],
            occurred_at=at,
            by=weighed.by,
            reservation=reservation,
            movement=movement,
        )
        for one in weighed.against
    )


def terms_by_episode(requests: Collection[BedRequest]) -> dict[int, RequestTerms]:
    """What was said of these requests, by episode; one query."""
    keys = {(one.episode_id, one.key) for one in requests}
    rows = RequestTerms.objects.filter(episode__in={episode for episode, _ in keys})
    return {row.episode_id: row for row in rows if (row.episode_id, row.key) in keys}


def _terms(request: BedRequest | None) -> Mapping[int, RequestTerms]:
    return terms_by_episode([request]) if request is not None else {}


__all__ = [
    "Soon",
    "Unsuitable",
    "Weighed",
    "check_suits",
    "keep_overrides",
    "may_override",
    "terms_by_episode",
]
