"""An invented history of one hospital as HL7 messages, the same for the same seed."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from patients.nhs_number import TEST_RANGE_PREFIX, check_digit

WARDS: Final = 30
BAYS: Final = "ABCDE"
BEDS_IN_BAY: Final = 6
START: Final = datetime(2026, 10, 1)  # noqa: DTZ001 - HL7 times are local

Bed = tuple[int, str, int]


def places() -> str:
    """The hospital as a file for `load_places`."""
    lines = [
        "organisations:",
        "  - {code: RBM, name: Bench, kind: trust}",
        "sites:",
        "  - code: BEN",
        "    name: Bench General",
        "    kind: acute",
        "    organisation: RBM",
        "    wards:",
    ]
    for ward in range(WARDS):
        lines += [
            f"      - code: BEN-W{ward:02}",
            f"        name: Ward {ward}",
            "        kind: inpatient",
            "        bays:",
        ]
        lines += [
            f"          - {{code: {bay}, name: Bay {bay}, beds: {BEDS_IN_BAY}}}" for bay in BAYS
        ]
    return "\n".join(lines) + "\n"


def history(number: int, seed: int) -> list[bytes]:
    """Admissions, transfers, updates and discharges in the mix of an ordinary week."""
    return _Hospital(seed).messages(number)


class _Hospital:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.now = START + timedelta(days=seed)
        self.free: list[Bed] = [
            (ward, bay, 1 + BEDS_IN_BAY * BAYS.index(bay) + bed)
            for ward in range(WARDS)
            for bay in BAYS
            for bed in range(BEDS_IN_BAY)
        ]
        self.chance.shuffle(self.free)
        self.inside: list[tuple[int, Bed, datetime]] = []
        self.admitted = 0
        self.sent = 0

    def messages(self, number: int) -> list[bytes]:
        return [self._next() for _ in range(number)]

    def _next(self) -> bytes:
        self.now += timedelta(seconds=self.chance.randint(5, 240))
        draw = self.chance.random()
        if self.free and (draw < 0.3 or len(self.inside) < 50):
            self.admitted += 1
            bed = self.free.pop()
            self.inside.append((self.admitted, bed, self.now))
            return self._message("A01", self.inside[-1])
        index = self.chance.randrange(len(self.inside))
        patient, bed, since = self.inside[index]
        if self.free and draw < 0.5:
            fresh = self.free.pop(self.chance.randrange(len(self.free)))
            self.free.append(bed)
            self.inside[index] = (patient, fresh, since)
            return self._message("A02", self.inside[index], before=bed)
        if draw < 0.72:
            return self._message("A08", self.inside[index])
        self.inside.pop(index)
        self.free.append(bed)
        return self._message("A03", (patient, bed, since), ended=True)

    def _message(
        self,
        event: str,
        stay: tuple[int, Bed, datetime],
        before: Bed | None = None,
        *,
        ended: bool = False,
    ) -> bytes:
        patient, bed, since = stay
        self.sent += 1
        now, admitted = self.now.strftime("%Y%m%d%H%M%S"), since.strftime("%Y%m%d%H%M%S")
        visit = ["", "1", "I", _written(bed), "21", "", _written(before) if before else ""]
        visit += ["", "", f"C{patient % 50}^CONSULTANT{patient % 50}^A", "300"]
        visit += [""] * 8 + [f"V{self.seed}-{patient:06}"] + [""] * 24
        visit += [admitted, now if ended else ""]
        segments = (
            f"MSH|^~\\&|BENCH|RBM|FLOWBOARD|RBM|{now}||ADT^{event}|{self.seed}-{self.sent}|P|2.5.1",
            f"EVN|{event}|{now}||||{now}",
            f"PID|1||M{self.seed}-{patient:06}^^^RBM^MR~{_nhs(patient)}^^^NHS^NH"
            f"||FAMILY{patient % 997}^GIVEN{patient % 89}^^^MR||19{10 + patient % 80}0615"
            f"|{'MF'[patient % 2]}|||{patient} HIGH ST^^TOWN^^AB{patient % 9} {patient % 9}CD",
            "PV1" + "|".join(visit),
        )
        return ("\r".join(segments) + "\r").encode()


def _written(bed: Bed) -> str:
    ward, bay, label = bed
    return f"BEN-W{ward:02}^{bay}^{label}^BEN"


def _nhs(patient: int) -> str:
    """A valid number of the range that is kept for tests."""
    while True:
        nine = f"{TEST_RANGE_PREFIX}{patient % 1_000_000:06}"
        digit = check_digit(nine)
        if digit is not None:
            return f"{nine}{digit}"
        patient += 500_009
