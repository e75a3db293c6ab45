"""What the pages about feeds show: plain rows, read with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from accounts.roles import Permission
from interop.hearing import heard_at, is_quiet
from interop.hl7v2.charsets import decode
from interop.hl7v2.header import cleaned
from interop.hl7v2.message import USED
from interop.models import Feed, LocationCode, Message
from wards.models import Bed, Site, Ward
from wards.scope import ALL, Scope

TROUBLED = (Message.Status.HELD, Message.Status.REJECTED)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One feed on the overview; counts are of the last 24 hours, `per_hour` of the last one.

    `said_before`: messages that said nothing new, and the same bytes received again. `held` and
    `rejected` are all there are; `waiting` are those not applied yet. `may_change`: whether the
    viewer may change what is known of the feed.
    """

    feed: Feed
    heard_at: datetime | None
    is_quiet: bool
    counts: Mapping[str, int]
    per_hour: int
    said_before: int
    waiting: int
    held: int
    rejected: int
    may_change: bool


def feeds_kept(scope: Scope) -> QuerySet[Feed]:
    """The feeds that the viewer may change: those of a provider or default site in their reach.

    To say whose a feed is opens its messages to those who see patients there, so a feed that is
    nobody's is given away only by those who manage feeds everywhere.
    """
    organisations = scope.organisations(Permission.MANAGE_FEEDS)
    sites = scope.sites(Permission.MANAGE_FEEDS)
    if organisations == ALL or sites == ALL:
        return Feed.objects.all()
    return Feed.objects.filter(Q(organisation__in=organisations) | Q(default_site__in=sites))


def feeds_for(scope: Scope) -> QuerySet[Feed]:
    """The feeds that the viewer sees, with their messages: those they may change, those that
    name a place at a site in their reach, and those that are nobody's.

    Nobody's is a feed without provider and default site that has named no place at any site that
    is set up. Its held messages may be anybody's, so every feed manager sees that there are some;
    whom they are about is shown to those alone who may see patients everywhere.
    """
    kept = feeds_kept(scope)
    sites = scope.sites(Permission.MANAGE_FEEDS)
    if sites == ALL or scope.may_everywhere(Permission.MANAGE_FEEDS):
        return kept
    named = LocationCode.objects.exclude(ward__site__kind=Site.Kind.UNRECOGNISED)
    told_of = named.filter(ward__site__in=sites).values("feed")
    nobodys = Q(organisation=None, default_site=None) & ~Q(pk__in=named.values("feed"))
    return Feed.objects.filter(
        Q(pk__in=kept.values("pk")) | Q(pk__in=told_of) | nobodys,
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a viewer's sight of feeds goes.

    everywhere: they see all there are. places: names of the bodies, or else sites, they manage
    feeds for. feeds, held, rejected: how many feeds they do not see, and what is in trouble there.
    """

    everywhere: bool
    places: Sequence[str] = ()
    feeds: int = 0
    held: int = 0
    rejected: int = 0


def reach(scope: Scope) -> Reach:
    """Three queries at most."""
    if scope.may_everywhere(Permission.MANAGE_FEEDS):
        return Reach(everywhere=True)
    bodies, sites = (
        scope.organisations(Permission.MANAGE_FEEDS),
        scope.sites(Permission.MANAGE_FEEDS),
    )
    names = Site.objects.filter(pk__in=sites).select_related("organisation")
    # A whole body speaks for its sites.
    places = {
        site.organisation.name if site.organisation_id in bodies else site.name for site in names
    }
    unseen = Feed.objects.exclude(pk__in=feeds_for(scope).values("pk"))
    counts = dict(
        Message.objects.filter(feed__in=unseen, status__in=TROUBLED)
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    return Reach(
        everywhere=False,
        places=sorted(places),
        feeds=unseen.count(),
        held=counts.get(Message.Status.HELD, 0),
        rejected=counts.get(Message.Status.REJECTED, 0),
    )


def feed_lines(scope: Scope, *, now: datetime) -> list[FeedLine]:
    """The overview of the feeds that the viewer sees. Five queries."""
    rows = list(feeds_for(scope).select_related("organisation"))
    kept = set(feeds_kept(scope).values_list("pk", flat=True))
    keys = [feed.pk for feed in rows]
    latest = heard_at()
    recent, again = _recent(keys, now), _again(keys, now)
    open_ones: dict[int, dict[str, int]] = {key: {} for key in keys}
    unfinished = Message.objects.filter(
        Q(status=Message.Status.RECEIVED) | Q(status__in=TROUBLED), feed__in=keys
    )
    for feed, status, number in unfinished.values_list("feed", "status").annotate(n=Count("pk")):
        open_ones[feed][status] = number
    return [
        FeedLine(
            feed=feed,
            heard_at=latest.get(feed.pk),
            is_quiet=is_quiet(latest.get(feed.pk), feed.quiet_after, now),
            counts=recent[feed.pk][0],
            per_hour=recent[feed.pk][1],
            said_before=recent[feed.pk][0].get(Message.Status.DUPLICATE, 0) + again[feed.pk],
            waiting=open_ones[feed.pk].get(Message.Status.RECEIVED, 0),
            held=open_ones[feed.pk].get(Message.Status.HELD, 0),
            rejected=open_ones[feed.pk].get(Message.Status.REJECTED, 0),
            may_change=feed.pk in kept,
        )
        for feed in rows
    ]


def _recent(feeds: Sequence[int], now: datetime) -> dict[int, tuple[dict[str, int], int]]:
    """Messages by status in the last day, and how many came in the last hour."""
    found: dict[int, tuple[dict[str, int], int]] = {feed: ({}, 0) for feed in feeds}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT feed_id, status, count(*), count(*) FILTER (WHERE received_at > %s)"
            "  FROM interop_message WHERE feed_id = ANY(%s) AND received_at > %s"
            " GROUP BY feed_id, status",
            [now - timedelta(hours=1), list(feeds), now - DAY],
        )
        for feed, status, day, hour in cursor.fetchall():
            counts, per_hour = found[feed]
            found[feed] = ({**counts, status: day}, per_hour + hour)
    return found


def _again(feeds: Sequence[int], now: datetime) -> dict[int, int]:
    """How often the same bytes were received again in the last day.

    A message keeps how often it came again and when last, so one that is older than a day counts
    once, however often it came today.
    """
    found = dict.fromkeys(feeds, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT feed_id, sum(CASE WHEN received_at > %s THEN repeats ELSE 1 END)"
            "  FROM interop_message WHERE feed_id = ANY(%s) AND repeated_at > %s GROUP BY feed_id",
            [now - DAY, list(feeds), now - DAY],
        )
        for feed, number in cursor.fetchall():
            found[feed] = int(number)
    return found


@dataclass(frozen=True, slots=True)
class Reason:
    """Messages that are held or refused for one reason, for a look at the whole."""

    status: str
    label: str
    code: str
    reason: str
    number: int
    since: datetime


def reasons(messages: QuerySet[Message]) -> list[Reason]:
    """Held and refused messages by reason, the most frequent first. One query."""
    rows = (
        messages.values_list("status", "reason_code", "reason")
        .annotate(n=Count("pk"), since=Min("received_at"))
        .order_by("-n", "reason")[:50]
    )
    return [
        Reason(status, str(Message.Status(status).label), code, reason, number, since)
        for status, code, reason, number, since in rows
    ]


@dataclass(frozen=True, slots=True)
class UnknownBed:
    """A bed that only a feed knows of."""

    bed: Bed
    patients: int


@dataclass(frozen=True, slots=True)
class UnknownWard:
    """A ward that only a feed knows of, or a known one with beds that only a feed knows of.

    `patients` are there now; `seen` is how often feeds named it; `suggested` a ward that goes
    by the same code elsewhere. `has_board`: whether the viewer may look at the ward itself.
    """

    ward: Ward
    feeds: tuple[str, ...]
    patients: int
    seen: int
    last_seen_at: datetime | None
    beds: tuple[UnknownBed, ...] = field(default=())
    suggested: Ward | None = None
    has_board: bool = True


def wards_in_reach(scope: Scope) -> QuerySet[Ward]:
    """The wards whose places the viewer sorts out: those at their sites, and those not recognised
    that any feed, whoever's it is, has named with such a site's code or name.

    What a feed of another body says of a site is put at a site of the feed's own until somebody
    recognises it. Whoever knows the site knows what was meant.
    """
    wards = Ward.objects.filter(same_as=None).select_related("site")
    sites = scope.sites(Permission.MANAGE_FEEDS)
    if sites == ALL:
        return wards
    meant = Site.objects.filter(
        Q(code__iexact=OuterRef("facility")) | Q(name__iexact=OuterRef("facility")), pk__in=sites
    ).exclude(kind=Site.Kind.UNRECOGNISED)
    named = LocationCode.objects.exclude(facility="").filter(Exists(meant)).values("ward")
    return wards.filter(Q(site__in=sites) | Q(kind=Ward.Kind.UNRECOGNISED, pk__in=named))


def unknown_places(scope: Scope, *, now: datetime) -> tuple[list[UnknownWard], list[UnknownWard]]:
    """Wards that are not recognised, and recognised wards with beds that are not. Six queries."""
    wards = wards_in_reach(scope)
    unknown = list(wards.filter(kind=Ward.Kind.UNRECOGNISED).order_by("site__name", "code"))
    beds = list(
        Bed.objects.filter(is_recognised=False, same_as=None, ward__in=wards)
        .exclude(ward__kind=Ward.Kind.UNRECOGNISED)
        .select_related("bay", "ward__site")
        .order_by("ward__site__name", "ward__code", "label")
    )
    known = list({bed.ward_id: bed.ward for bed in beds}.values())
    concerned = [ward.pk for ward in (*unknown, *known)]
    named = _named(concerned)
    on_wards, in_beds = _patients(concerned, now)
    recognised = {
        ward.code.casefold(): ward
        for ward in wards.exclude(kind=Ward.Kind.UNRECOGNISED).filter(
            code__in=[ward.code for ward in unknown]
        )
    }

    def line(ward: Ward, its_beds: Sequence[Bed]) -> UnknownWard:
        feeds, seen, last = named.get(ward.pk, ((), 0, None))
        return UnknownWard(
            ward=ward,
            feeds=feeds,
            patients=on_wards.get(ward.pk, 0),
            seen=seen,
            last_seen_at=last,
            beds=tuple(UnknownBed(bed, in_beds.get(bed.pk, 0)) for bed in its_beds),
            suggested=recognised.get(ward.code.casefold()),
            has_board=scope.may(Permission.SEE_COUNTS, ward.pk),
        )

    return (
        [line(ward, ()) for ward in unknown],
        [line(ward, [bed for bed in beds if bed.ward_id == ward.pk]) for ward in known],
    )


def _named(wards: Sequence[int]) -> dict[int, tuple[tuple[str, ...], int, datetime | None]]:
    """Which feeds named each ward, how often, and when last."""
    found: dict[int, tuple[tuple[str, ...], int, datetime | None]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code.ward_id, array_agg(DISTINCT feed.name ORDER BY feed.name),"
            "       sum(code.seen), max(code.last_seen_at)"
            "  FROM interop_locationcode code JOIN interop_feed feed ON feed.id = code.feed_id"
            " WHERE code.ward_id = ANY(%s) GROUP BY code.ward_id",
            [list(wards)],
        )
        for ward, feeds, seen, last in cursor.fetchall():
            found[ward] = (tuple(feeds), int(seen), last)
    return found


def _patients(wards: Sequence[int], now: datetime) -> tuple[dict[int, int], dict[int, int]]:
    """How many patients are on each ward, and in each bed, at `now`."""
    on_wards: dict[int, int] = {}
    in_beds: dict[int, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ward_id, wanted_bed_id, count(*) FROM wards_occupancy"
            " WHERE ward_id = ANY(%s) AND period @> %s::timestamptz GROUP BY 1, 2",
            [list(wards), now],
        )
        for ward, bed, number in cursor.fetchall():
            on_wards[ward] = on_wards.get(ward, 0) + number
            if bed is not None:
                in_beds[bed] = number
    return on_wards, in_beds


_OPEN_SEGMENTS = frozenset({"MSH", "EVN", "NPU", "FHS", "BHS"})
_OPEN_FIELDS = {"PV1": frozenset({2, 3, 6, 10, 11, 42, 44, 45})}
_MASK = "•••"


def shown(raw: bytes, *, patients: bool, encoding: str = "") -> list[str]:
    """The segments of a message for a person to read.

    Without `patients`, everything that could tell who it is about is masked: all segments but
    the header and the event, and of the visit all but class, places and times.
    """
    text = cleaned(decode(raw, override=encoding).text).strip("\r ")
    lines = [line for line in text.split("\r") if line]
    if patients:
        return lines
    masked = [_masked(line) for line in lines]
    if lines and lines[0][:3] not in _OPEN_SEGMENTS | USED.keys():
        masked[0] = _MASK  # where the beginning was cut off, these may be letters of a name
    return masked


def _masked(line: str) -> str:
    name, separator = line[:3], line[3:4]
    if name in _OPEN_SEGMENTS:
        return line
    if not separator or separator.isalnum():
        return _MASK
    kept = _OPEN_FIELDS.get(name, frozenset())
    fields = line.split(separator)
    masked = [
        part if number in kept or not part else _MASK
        for number, part in enumerate(fields[1:], start=1)
    ]
    return separator.join([name, *masked])
