"""The ambulance service tells its values over REST, once for each turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulation.care.rest import Reply, Rest
from simulation.care.telling import EVERY, Teller, values
from simulation.clock import moment_of
from simulation.state import State


class Told(Rest):
    """An interface that keeps what was posted."""

    def __init__(self, tmp_path: Path, status: int = 201) -> None:
        super().__init__(
            "http://127.0.0.1:1/api/v1/", tmp_path, say=lambda _: None, stopped=lambda: False
        )
        self.status = status
        self.posted: list[dict[str, Any]] = []

    def post(self, path: str, body: Any) -> Reply:
        assert path == "escalation/values/"
        self.posted.append(body)
        return Reply(self.status, {"detail": "No rules hold."} if self.status > 300 else {})


@pytest.fixture
def state() -> State:
    made = State.__new__(State)
    made.now = 29_000_000
    made.waiting = {"NGH": list(range(12))}
    return made


def test_each_turn_is_told_once_with_its_own_key(tmp_path: Path, state: State) -> None:
    rest, heard = Told(tmp_path), list[str]()
    teller = Teller(rest, ("NGH", "ERH"), 7, heard.append)
    assert teller.tell(state) == 4
    assert teller.tell(state) == 0, "nothing is due"
    state.now += EVERY
    assert teller.tell(state) == 4
    assert len({(one["site"], one["key"]) for one in rest.posted}) == 8
    assert rest.posted[-1]["as_at"] == moment_of(state.now).isoformat()
    busy, calm = values(12, "NGH", 1, 7), values(0, "NGH", 1, 7)
    assert all(more > less for (_, more), (_, less) in zip(busy, calm, strict=True))
    assert values(12, "NGH", 1, 7) == busy, "the same seed says the same"
    assert heard == []


def test_why_it_was_refused_is_said_once(tmp_path: Path, state: State) -> None:
    heard: list[str] = []
    teller = Teller(Told(tmp_path, 409), ("NGH",), 7, heard.append)
    assert teller.tell(state) == 0
    state.now += EVERY
    teller.tell(state)
    assert heard == ["escalation values of NGH are not told: No rules hold."]
