"""Who signs the daily returns of the simulated trust."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from simulation.care.rest import Reply, Rest
from simulation.care.returns import DAYS, KINDS, Signer, due, is_left

BODY = ("RNM",)
MORNING = datetime(2026, 7, 14, 8, 30, tzinfo=UTC)
"""Half past nine in London."""


class Desk:
    """Answers every call with the same status."""

    def __init__(self, status: int = 201) -> None:
        self.asked: list[str] = []
        self.status = status

    def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        assert body == {}
        self.asked.append(path)
        return Reply(self.status, {"detail": "why"})


def signer(desk: Desk, said: list[str]) -> Signer:
    return Signer(cast(Rest, desk), BODY, said.append)


def test_the_past_is_signed_once_and_each_morning_from_nine() -> None:
    desk, said = Desk(), list[str]()
    mine = signer(desk, said)
    early = mine.sign(MORNING - timedelta(hours=1))
    assert early == len(desk.asked) > 0
    assert not any("2026-07-14" in path for path in desk.asked)
    assert mine.sign(MORNING - timedelta(hours=1)) == 0
    before = len(desk.asked)
    mine.sign(MORNING)
    left = [kind for kind in KINDS if not is_left(kind, "RNM", date(2026, 7, 14))]
    assert desk.asked[before:] == [f"returns/{k}/RNM/2026-07-14/sign/" for k in left]
    assert said == []


def test_some_are_left_unsigned_whoever_asks_and_whenever() -> None:
    shares = []
    for month in range(1, 13):
        at = datetime(2026, month, 20, 12, tzinfo=UTC)
        signed = list(due(at, BODY))
        assert signed == list(due(at, BODY))
        assert max(day for _, _, day in signed) <= date(2026, month, 20)
        assert min(day for _, _, day in signed) > date(2026, month, 20) - timedelta(days=DAYS)
        shares.append(len(signed) / (DAYS * len(KINDS)))
    assert 0.85 < sum(shares) / len(shares) < 0.97


def test_what_somebody_else_signed_is_let_be_and_who_may_not_says_so_once() -> None:
    desk, said = Desk(status=409), list[str]()
    mine = signer(desk, said)
    assert mine.sign(MORNING) == 0
    asked = len(desk.asked)
    mine.sign(MORNING)
    assert (len(desk.asked), said) == (asked, [])
    desk = Desk(status=403)
    mine = signer(desk, said)
    mine.sign(MORNING)
    mine.sign(MORNING)
    assert len(desk.asked) == 1
    assert said == ["returns of RNM are not signed: why"]
