"""Turns waiting messages into facts, and facts into where patients are.

Any number of processes may do this at once: each message is claimed by a row lock. A batch is
one transaction; if it fails, its messages are tried one by one, so that a bad one is held and
the rest go on. Applying is idempotent, and the messages themselves are safely stored, so the
commit need not wait for the disk: whatever a crash takes back is simply applied again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg import errors

from accounts.refusals import Refused
from interop.feeds import Feeds, Known
from interop.hl7v2.statements import Meaning
from interop.hl7v2.understanding import End, Understand, Verdict, failed, understand
from interop.inbox import WAITING_CHANNEL
from interop.locations import Places
from interop.models import Message
from wards.bed_states import StatusFact, record_statuses
from wards.facts import Fact
from wards.movements import Outcome, record

log = logging.getLogger("interop")

BATCH: Final = 200
_TRIES: Final = 4  # of a batch that PostgreSQL broke off because of a deadlock

_CLAIM: Final = """
    SELECT id, raw FROM interop_message
     WHERE status = 'received' AND feed_id = %s AND is_history = %s
     ORDER BY id LIMIT %s
       FOR NO KEY UPDATE SKIP LOCKED
"""
_NEXT_FEED: Final = """
    SELECT feed_id, is_history FROM interop_message
     WHERE status = 'received'
     ORDER BY id LIMIT 1
       FOR NO KEY UPDATE SKIP LOCKED
"""
_MARK: Final = """
    UPDATE interop_message message
       SET status = done.status, reason_code = done.code, reason = done.reason,
           attempts = message.attempts + 1, applied_at = done.applied_at
      FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
           AS done(id, status, code, reason, applied_at)
     WHERE message.id = done.id
"""


class Applier:
    """Applies waiting messages; remembers feeds and places between batches."""

    def __init__(self, *, now: Callable[[], datetime], understand: Understand = understand) -> None:
        self.feeds = Feeds()
        self.places = Places()
        self._now = now
        self._understand = understand

    def apply_batch(self, limit: int = BATCH) -> Counter[str]:
        """Apply up to `limit` waiting messages of one feed, either history or not; how many came
        to which end.

        Empty when nothing was waiting. Raises OperationalError or InterfaceError when the
        database is away; whatever was not applied is still waiting.
        """
        for attempt in range(_TRIES):
            try:
                with transaction.atomic():
                    counts = self._batch(limit)
                self.places.keep()
                return counts
            except OperationalError as error:
                self.places.drop()
                if not isinstance(error.__cause__, errors.DeadlockDetected):
                    raise
                if attempt == _TRIES - 1:
                    raise
            except InterfaceError:
                self.places.drop()
                raise
            except Exception as error:
                self.places.forget()
                self.feeds.forget()
                log.warning("a batch failed (%s); one by one", type(error).__name__)
                break
        return self._one_by_one(limit)

    def _batch(self, limit: int) -> Counter[str]:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute(_NEXT_FEED)
            waiting = cursor.fetchone()
            if waiting is None:
                return Counter()
            feed, is_history = self.feeds.by_id(waiting[0]), waiting[1]
            cursor.execute(_CLAIM, [feed.id, is_history, limit])
            claimed = [(pk, bytes(raw)) for pk, raw in cursor.fetchall()]
        verdicts = self._apply(feed, claimed, is_history=is_history)
        self._mark(verdicts)
        return Counter(verdict.end.value for verdict in verdicts.values())

    def _one_by_one(self, limit: int) -> Counter[str]:
        """Each message in a transaction of its own; one that fails is held."""
        waiting = Message.objects.filter(status=Message.Status.RECEIVED).order_by("pk")
        counts: Counter[str] = Counter()
        for pk in list(waiting.values_list("pk", flat=True)[:limit]):
            counts.update(self.apply_one(pk))
        return counts

    def apply_one(self, pk: int) -> Counter[str]:
        """Apply one message if it is waiting and nobody else is at it."""
        failure: Verdict | None = None
        for _ in range(2):
            try:
                with transaction.atomic():
                    counts = self._one(pk, failure)
                self.places.keep()
                return counts
            except (OperationalError, InterfaceError):
                self.places.drop()
                raise
            except Refused as refused:
                self.places.forget()
                failure = Verdict(End.HELD, "refused", refused.reason[:500])
            except Exception as error:
                self.places.forget()
                failure = failed(error)
        raise AssertionError("marking a message as held does not fail but for the database")

    def _one(self, pk: int, failure: Verdict | None) -> Counter[str]:
        rows = (
            Message.objects.filter(pk=pk, status=Message.Status.RECEIVED)
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("feed", "raw", "is_history")
        )
        for feed, raw, is_history in rows:
            verdicts = (
                {pk: failure}
                if failure
                else self._apply(self.feeds.by_id(feed), [(pk, bytes(raw))], is_history=is_history)
            )
            self._mark(verdicts)
            return Counter(verdict.end.value for verdict in verdicts.values())
        return Counter()

    def _apply(
        self, feed: Known, claimed: Sequence[tuple[int, bytes]], *, is_history: bool
    ) -> dict[int, Verdict]:
        """Record what the messages say; a verdict for each."""
        understood = self._understand([raw for _, raw in claimed], feed.sender)
        said = {pk: u for (pk, _), u in zip(claimed, understood, strict=True)}
        meanings = {pk: u for pk, u in said.items() if isinstance(u, Meaning)}
        places = self.places.of(feed, (w for m in meanings.values() for w in m.locations()))
        facts = {pk: [s.settled(places) for s in m.statements] for pk, m in meanings.items()}
        beds = {
            pk: [
                StatusFact(
                    bed=bed,
                    status=b.status,
                    occurred_at=b.occurred_at,
                    sent_at=b.sent_at,
                    source=feed.code,
                    key=b.key,
                )
                for b in m.beds
                if (bed := places[b.bed].bed) is not None
            ]
            for pk, m in meanings.items()
        }
        news = _record(facts, beds, feed.code, is_history=is_history)
        verdicts = {pk: u for pk, u in said.items() if isinstance(u, Verdict)}
        for pk, m in meanings.items():
            end = End.APPLIED if pk in news else End.DUPLICATE
            notes = " ".join(m.notes)[:500]
            verdicts[pk] = Verdict(end, "noted" if notes else "", notes)
        return verdicts

    def _mark(self, verdicts: dict[int, Verdict]) -> None:
        if not verdicts:
            return
        now = self._now()
        done = {End.APPLIED, End.DUPLICATE}
        rows = sorted(verdicts.items())
        with connection.cursor() as cursor:
            cursor.execute(
                _MARK,
                (
                    [pk for pk, _ in rows],
                    [v.end.value for _, v in rows],
                    [v.code for _, v in rows],
                    [v.reason for _, v in rows],
                    [now if v.end in done else None for _, v in rows],
                ),
            )

    def rest(self) -> None:
        """Write what can wait until there is time: how often each place was named."""
        self.places.note_seen(at=self._now())


def _record(
    facts: dict[int, list[Fact]],
    beds: dict[int, list[StatusFact]],
    source: str,
    *,
    is_history: bool,
) -> set[int]:
    """Record everything at once; the messages that said something new."""
    said = [fact for each in facts.values() for fact in each]
    outcomes = record(said, source=source, known_when_sent=is_history)
    states = record_statuses([state for each in beds.values() for state in each])
    told: set[str] = set()
    news: set[int] = set()
    of_facts, of_states = iter(outcomes), iter(states)
    for pk in facts:
        for _ in facts[pk]:
            outcome: Outcome = next(of_facts)
            if outcome.status == "applied" and outcome.key not in told:
                news.add(pk)
            told.add(outcome.key)
        for _ in beds[pk]:
            if next(of_states):
                news.add(pk)
    return news


def replay(messages: Iterable[int]) -> int:
    """Let held or refused messages be applied anew; how many are waiting now."""
    rows = Message.objects.filter(
        pk__in=list(messages), status__in=[Message.Status.HELD, Message.Status.REJECTED]
    )
    with transaction.atomic(), connection.cursor() as cursor:
        waiting = rows.update(status=Message.Status.RECEIVED, reason_code="", reason="")
        cursor.execute("SELECT pg_notify(%s, '')", [WAITING_CHANNEL])
    return waiting
