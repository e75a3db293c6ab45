"""What places after hospital have free, and who waits for them.

Free places are figures, not patients: whoever plans or answers anywhere sees them, so that a wait
can meet a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from accounts.roles import Permission
from flow.counts import count
from flow.figure_types import Figures
from flow.moment import Moment, held, said_by
from flow.reading import read_as
from flow.referrals.reading import Asking, accepted
from wards.models import Referral, Ward
from wards.referrals import PLACES
from wards.scope import Scope

RECEIVING: Final = frozenset(PLACES.values())
"""Kinds of ward that take people on after hospital."""
LATELY: Final = timedelta(days=28)
"""Over which time answers are summed up."""


def may_see_places(scope: Scope) -> bool:
    """Whether somebody sees what places after hospital have free."""
    return any(scope.may_anywhere(p) for p in (Permission.PLAN_DISCHARGE, Permission.OWN_STEPS))


@dataclass(frozen=True, slots=True)
class Receiving:
    """A place after hospital: what it has free, and what is asked of it.

    figures: its beds as everywhere. accepted: those it awaits. asked: those it has not answered.
    left: free places after those it awaits, below nought where it promised more than it has.
    answered, declined: answers of the last four weeks. waited: the mean time to an answer.
    """

    ward: int
    code: str
    name: str
    kind: str
    site: str
    site_name: str
    figures: Figures
    accepted: int
    asked: int
    answered: int
    declined: int
    waited: timedelta | None

    @property
    def left(self) -> int:
        """Free after those awaited."""
        return self.figures.beds_available - self.accepted

    @property
    def kind_label(self) -> str:
        """Its kind in words."""
        return str(Ward.Kind(self.kind).label)


@dataclass(frozen=True, slots=True)
class _Asked:
    ward: int
    accepted: int
    asked: int
    answered: int
    declined: int
    waited: timedelta | None


def receiving(moment: Moment) -> list[Receiving]:
    """Every place after hospital at the moment; three queries."""
    wards = {
        ward.pk: ward
        for ward in Ward.objects.select_related("site")
        .filter(kind__in=RECEIVING, same_as=None)
        .order_by("site__position", "site__name", "position", "name")
    }
    figures = {one.ward: one.figures for one in count(moment, wards=list(wards))}
    asked = {row.ward: row for row in _asked_of(moment)}
    nothing = _Asked(0, 0, 0, 0, 0, None)
    return [
        Receiving(
            ward=pk,
            code=ward.code,
            name=ward.name,
            kind=ward.kind,
            site=ward.site.code,
            site_name=ward.site.name,
            figures=figures[pk],
            accepted=(row := asked.get(pk, nothing)).accepted,
            asked=row.asked,
            answered=row.answered,
            declined=row.declined,
            waited=row.waited,
        )
        for pk, ward in wards.items()
    ]


def _asked_of(moment: Moment) -> Sequence[_Asked]:
    standing = "lower(r.period) <= %(at)s AND (upper_inf(r.period) OR upper(r.period) > %(since)s)"
    sql = f"""
SELECT r.ward_id AS ward,
       count(*) FILTER (WHERE r.period @> %(at)s::timestamptz AND {accepted(moment)}) AS accepted,
       count(*) FILTER (WHERE r.period @> %(at)s::timestamptz AND NOT {accepted(moment)}) AS asked,
       count(answer.at) AS answered,
       count(answer.at) FILTER (WHERE answer.kind = 'declined') AS declined,
       avg(answer.at - lower(r.period)) AS waited
  FROM {held("wards_referral", moment, standing)} r
  LEFT JOIN LATERAL (
       SELECT step.occurred_at AS at, step.kind FROM wards_referralstep step
        WHERE step.referral_id = r.id AND step.kind IN ('accepted', 'declined')
          AND step.occurred_at <= %(at)s AND step.occurred_at > %(since)s
          AND {said_by(moment, "step")}
        ORDER BY step.occurred_at LIMIT 1) answer ON true
 WHERE r.ward_id IS NOT NULL
 GROUP BY r.ward_id
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    return read_as(_Asked, sql, moment.params | {"since": moment.at - LATELY})


@dataclass(frozen=True, slots=True)
class Demand:
    """People who could leave by one pathway, and the places that it leads to.

    ready: how many meet no criteria to reside. asked: for how many of them a place was asked, and
    accepted. free: places free now of the kinds that the pathway leads to, after those awaited.
    """

    pathway: int
    kinds: tuple[str, ...]
    ready: int
    asked: int
    accepted: int
    free: int
    most: int = 1

    @property
    def unasked(self) -> int:
        """For how many no place is being asked."""
        return self.ready - self.asked

    @property
    def ready_share(self) -> float:
        """Of the longest bar of the picture, per cent."""
        return round(100 * self.ready / self.most, 1)

    @property
    def free_share(self) -> float:
        """Of the longest bar of the picture, per cent."""
        return round(100 * self.free / self.most, 1)


KINDS_OF: Final[dict[int, tuple[str, ...]]] = {
    1: (Ward.Kind.REABLEMENT, Ward.Kind.VIRTUAL),
    2: (Ward.Kind.COMMUNITY,),
    3: (Ward.Kind.CARE_HOME,),
}
"""Which places a pathway leads to (NHS England, hospital discharge and community support
guidance: 1 home with support, 2 a bed for a time, 3 a care home for long)."""


def demand(
    ready: Iterable[tuple[int, int | None]],
    referrals: Iterable[Asking],
    places: Iterable[Receiving],
) -> list[Demand]:
    """Pathways 1 to 3: who could leave (episode, pathway) against what is free."""
    ready, places = list(ready), list(places)
    standing: dict[int, set[str]] = {}
    for one in referrals:
        if one.status in Referral.OPEN:
            standing.setdefault(one.episode, set()).add(one.status)
    found = []
    for pathway, kinds in KINDS_OF.items():
        episodes = [episode for episode, theirs in ready if theirs == pathway]
        found.append(
            Demand(
                pathway=pathway,
                kinds=kinds,
                ready=len(episodes),
                asked=sum(bool(standing.get(episode)) for episode in episodes),
                accepted=sum("accepted" in standing.get(episode, ()) for episode in episodes),
                free=sum(max(place.left, 0) for place in places if place.kind in kinds),
            )
        )
    most = max([1, *(one.ready for one in found), *(one.free for one in found)])
    return [replace(one, most=most) for one in found]
