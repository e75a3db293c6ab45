"""A feed that loses nothing: it sends each message until it is acknowledged."""

from __future__ import annotations

import random
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

FIRST: Final = datetime(2026, 3, 2, 8, 0)  # noqa: DTZ001 (as feeds write it: local, no offset)
BEGIN, END = b"\x0b", b"\x1c\r"


def message(
    number: int, event: str, patient: int, at: datetime, ward: str, bed: int, admitted: datetime
) -> bytes:
    """One ADT message of patient `patient` in ward `ward`, bed `bed` (0: no bed)."""
    stamp = f"{at:%Y%m%d%H%M%S}"
    place = f"{ward}^A^{bed}^RES" if bed else ""
    gone = stamp if event == "A03" else ""
    fields = [""] * 46
    fields[0:4] = ["PV1", "1", "I", place]
    fields[19], fields[44], fields[45] = f"V{patient}", f"{admitted:%Y%m%d%H%M%S}", gone
    segments = [
        f"MSH|^~\\&|RESPAS|RES|FLOWBOARD|RES|{stamp}||ADT^{event}|M{number}|P|2.5",
        f"EVN|{event}|{stamp}",
        f"PID|1||P{patient}^^^RES^MR||Person^Test{patient}",
        "|".join(fields),
    ]
    return ("\r".join(segments) + "\r").encode()


@dataclass
class History:
    """Messages in the order in which they are sent, and where everybody is at their end."""

    messages: list[bytes]
    present: dict[str, tuple[str, str]]  # visit → ward, bed
    gone: set[str]


def history(*, wards: list[str], beds: int, patients: int, seed: int) -> History:
    """Admissions, transfers and discharges that never put two into a bed; sent out of order."""
    chance = random.Random(seed)
    free = [(ward, bed) for ward in wards for bed in range(1, beds + 1)]
    where: dict[int, tuple[str, int]] = {}
    admitted: dict[int, datetime] = {}
    gone: set[str] = set()
    messages: list[bytes] = []
    at = FIRST
    waiting = list(range(patients))
    while waiting or chance.random() < 0.98:
        at += timedelta(minutes=1)
        chosen = chance.random()
        if waiting and free and (chosen < 0.4 or not where):
            patient, place = waiting.pop(), free.pop(chance.randrange(len(free)))
            where[patient], admitted[patient] = place, at
            event = "A01"
        elif where and free and chosen < 0.8:
            patient = chance.choice(sorted(where))
            place = free.pop(chance.randrange(len(free)))
            free.append(where[patient])
            where[patient] = place
            event = "A02"
        elif where:
            patient = chance.choice(sorted(where))
            place = where.pop(patient)
            free.append(place)
            gone.add(f"V{patient}")
            event = "A03"
        else:
            continue
        messages.append(
            message(len(messages), event, patient, at, *place, admitted=admitted[patient])
        )
    for start in range(0, len(messages), 10):  # out of order within a few minutes
        part = messages[start : start + 10]
        chance.shuffle(part)
        messages[start : start + 10] = part
    present = {f"V{p}": (ward, str(bed)) for p, (ward, bed) in where.items()}
    return History(messages, present, gone)


@dataclass
class Sender(threading.Thread):
    """Sends the messages one by one over MLLP; a message counts when its AA has come."""

    port: int
    messages: list[bytes]
    pause: float
    acknowledged: list[bytes] = field(default_factory=list)
    trouble: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.patience = time.monotonic() + 240

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Send everything; broken connections and refusals are tried again."""
        line: socket.socket | None = None
        for raw in self.messages:
            while time.monotonic() < self.patience:
                try:
                    line = line or socket.create_connection(("127.0.0.1", self.port), timeout=20)
                    line.sendall(BEGIN + raw + END)
                    answer = b""
                    while not answer.endswith(END):
                        part = line.recv(4096)
                        if not part:
                            raise ConnectionError("the line was closed")
                        answer += part
                    if b"MSA|AA|" in answer:
                        self.acknowledged.append(raw)
                        break
                    self.trouble += 1
                except OSError:
                    self.trouble += 1
                    if line is not None:
                        line.close()
                    line = None
                time.sleep(0.2)
            time.sleep(self.pause)
        if line is not None:
            line.close()
