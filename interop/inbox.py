"""Keeps every message before it is answered.

One call stores many messages in one statement, so that many senders share one commit. When
`store` returns, everything in it is on disk and will be applied, or was refused and is kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from interop.feeds import NO_SENDER, Feeds, Known, UnknownSender
from interop.hl7v2.ack import TAKEN, Answer, Verdict
from interop.hl7v2.events import refusal
from interop.hl7v2.framing import Fault
from interop.hl7v2.header import Header, Unreadable, header_of
from interop.hl7v2.timestamps import BadTime, clock_for
from interop.models import Message

WAITING_CHANNEL: Final = "interop_waiting"
"""PostgreSQL notifies this channel when messages wait to be applied."""

# What was refused once (cut off on its way, say) is judged anew when it comes again: its sender is
# answered by the new verdict, so the message must follow it.
_STORE: Final = """
    WITH stored AS (
        INSERT INTO interop_message (feed_id, raw, digest, received_at, control_id, event,
               sent_at, peer, status, reason_code, reason, repeats, repeated_at, attempts,
               applied_at, is_history)
        SELECT given.*, CASE WHEN given.again > 0 THEN given.received END, 0, NULL::timestamptz,
               %s
          FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::timestamptz[], %s::text[],
                      %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[],
                      %s::text[], %s::int[])
               AS given(feed, raw, digest, received, control, event, sent, peer, status, code,
                        reason, again)
            ON CONFLICT (feed_id, digest) DO UPDATE SET
               repeats = interop_message.repeats + excluded.repeats + 1,
               repeated_at = excluded.received_at,
               (status, reason_code, reason, is_history) = (
                   SELECT judged.* FROM (VALUES
                       (excluded.status, excluded.reason_code, excluded.reason,
                        excluded.is_history),
                       (interop_message.status, interop_message.reason_code,
                        interop_message.reason, interop_message.is_history)) AS judged
                   OFFSET CASE interop_message.status WHEN 'rejected' THEN 0 ELSE 1 END LIMIT 1)
        RETURNING id, feed_id, digest, status, xmax = 0 AS is_new)
    SELECT id, feed_id, digest, is_new,
           CASE WHEN status = 'received' THEN pg_notify(%s, '') END
      FROM stored
"""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, or with `fault` what was received of one."""

    raw: bytes
    peer: str = ""
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be answered. `is_new`: these bytes had not been received before."""

    id: int
    header: Header | None
    answer: Answer
    is_new: bool
    status: Message.Status = Message.Status.RECEIVED
    feed: Known | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    incoming: Incoming
    feed: Known
    header: Header | None
    answer: Answer
    digest: bytes
    status: Message.Status
    reason_code: str

    @property
    def key(self) -> tuple[int, bytes]:
        return (self.feed.id, self.digest)


def store(
    incoming: Sequence[Incoming],
    *,
    feeds: Feeds,
    at: datetime,
    feed: Known | None = None,
    is_history: bool = False,
) -> list[Kept]:
    """Keep the messages and say what to answer to each, in order.

    `feed` overrules MSH-3 and MSH-4. `is_history` as in `Message`. Raises
    django.db.OperationalError or InterfaceError when the database is away; then nothing may be
    acknowledged, and storing again does no harm.
    """
    rows = [_row(each, feeds, feed) for each in incoming]
    # Of the same bytes, whole and cut off, the whole ones count.
    by_worth = sorted(rows, key=lambda row: row.status != Message.Status.REJECTED)
    once = {row.key: row for row in by_worth}
    times = Counter(row.key for row in rows)
    ordered = [once[key] for key in sorted(once)]  # in key order, so that two calls cannot deadlock
    columns = (
        [row.feed.id for row in ordered],
        [row.incoming.raw for row in ordered],
        [row.digest for row in ordered],
        [at for _ in ordered],
        [_text(row.header.control_id, 200) if row.header else "" for row in ordered],
        [_text(row.header.kind, 20) if row.header else "" for row in ordered],
        [_sent_at(row) for row in ordered],
        [_text(row.incoming.peer, 100) for row in ordered],
        [row.status.value for row in ordered],
        [row.reason_code for row in ordered],
        [row.answer.reason[:500] for row in ordered],
        [times[row.key] - 1 for row in ordered],
    )
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [is_history, *columns, WAITING_CHANNEL])
        stored = {
            (feed_id, bytes(digest)): (pk, is_new)
            for pk, feed_id, digest, is_new, _ in cursor.fetchall()
        }
    kept: list[Kept] = []
    fresh = {key for key, (_, is_new) in stored.items() if is_new}
    for row in rows:
        pk = stored[row.key][0]
        kept.append(Kept(pk, row.header, row.answer, row.key in fresh, row.status, row.feed))
        fresh.discard(row.key)
    return kept


def _row(incoming: Incoming, feeds: Feeds, feed: Known | None) -> _Row:
    header, answer, reason_code = _judged(incoming)
    if feed is None:
        try:
            feed = feeds.of(header)
        except UnknownSender:
            feed, reason_code, answer = feeds.nobody(), "unknown_sender", _STRANGER
    status = Message.Status.RECEIVED
    if answer.verdict is not Verdict.TAKEN:
        status = Message.Status.REJECTED
    elif reason_code:
        status = Message.Status.IGNORED
    return _Row(incoming, feed, header, answer, digest_of(incoming.raw), status, reason_code)


_STRANGER: Final = Answer(
    Verdict.REFUSED,
    "207",
    "No feed is set up for this sender (MSH-3, MSH-4); ask for one to be made.",
)
_ANSWERED: Final = Answer(Verdict.TAKEN, reason="An acknowledgment; nothing here asks for one.")


def _judged(incoming: Incoming) -> tuple[Header | None, Answer, str]:
    """The header, if there is one, and the answer that can be given before understanding more."""
    try:
        header = header_of(incoming.raw)
    except Unreadable as error:
        reason = incoming.fault.value if incoming.fault else error.reason
        return None, Answer(Verdict.REFUSED, "100", reason), "unreadable"
    if incoming.fault is not None:
        verdict = Verdict.ERROR if incoming.fault.may_pass else Verdict.REFUSED
        return header, Answer(verdict, "207", incoming.fault.value), "transmission"
    if header.message_type == "ACK":
        return header, _ANSWERED, "acknowledgment"
    refused = refusal(
        header.message_type, header.event or _event_of_evn(incoming.raw, header.by.field)
    )
    if refused:
        code = "201" if header.message_type == "ADT" else "200"
        return header, Answer(Verdict.REFUSED, code, refused), "unsupported"
    return header, TAKEN, ""


def _event_of_evn(raw: bytes, field: str) -> str:
    """EVN-1, where the oldest versions name the event."""
    for line in raw.replace(b"\n", b"\r").split(b"\r"):
        if line.startswith(b"EVN"):
            fields = line.decode("latin-1").split(field)
            return fields[1].strip().upper() if len(fields) > 1 else ""
    return ""


def digest_of(raw: bytes) -> bytes:
    """What stands for the content, whichever way its lines end and whatever surrounds it."""
    lines = raw.strip().replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    return hashlib.sha256(lines).digest()


def _sent_at(row: _Row) -> datetime | None:
    if row.header is None:
        return None
    try:
        stamp = clock_for(row.feed.sender.zone, row.header.time).read(row.header.time)
    except BadTime:
        return None
    return stamp.at if stamp else None


def _text(text: str, longest: int) -> str:
    """`text` as a text column can hold it."""
    return text.replace("\x00", "")[:longest]


__all__ = ["NO_SENDER", "WAITING_CHANNEL", "Incoming", "Kept", "digest_of", "store"]
