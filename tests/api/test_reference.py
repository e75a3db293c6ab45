"""Published national figures over REST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Organisation
from accounts.roles import Role
from accounts.tokens import TokenScope
from patients.code_loading import built_in, load_codes
from tests.api.callers import Caller
from tests.api.test_schema import agrees, answer_of
from tests.reference.tables import NCTR, days, lines

pytestmark = pytest.mark.django_db
VALUES = "/api/v1/reference/"
PATHS = (VALUES, f"{VALUES}measures/", f"{VALUES}bodies/")


@pytest.fixture
def organisation() -> Organisation:
    return Organisation.objects.create(code="RXX", name="Trust", kind="trust")


@pytest.fixture
def reader(organisation: Organisation, tmp_path: Path) -> Caller:
    load_codes(built_in())
    nctr, delays = tmp_path / "nctr.csv", tmp_path / "delays.csv"
    rows = [*days([20, 0, "NA", 40]), *days([5, 6, 7], code="RC9")]
    nctr.write_text(lines(NCTR, rows))
    label = "Hospital process – Awaiting patient transport services"
    delays.write_text(lines("code,name,date,reason,count", [f"RAJ,Mid,2024-06-01,{label},3"]))
    call_command("load_national", str(nctr), str(delays))
    return Caller("reader", Role.OBSERVER, TokenScope.OCCUPANCY_READ, organisation=organisation)


def test_series_by_measure_body_and_day(reader: Caller) -> None:
    found = reader.get(VALUES, measure="nctr", body="raj")
    assert [(row["date"], row["value"], row["mark"], row["doubt"]) for row in found] == [
        ("2024-01-01", 20, None, None),
        ("2024-01-02", 0, None, "zero"),
        ("2024-01-03", None, "NA", None),
        ("2024-01-04", 40, None, None),
    ]
    assert {row["file"] for row in found} == {"nctr.csv"}
    some = reader.get(VALUES, body=["RAJ", "RC9"], **{"from": "2024-01-02", "to": "2024-01-03"})
    assert [(row["body"], row["value"]) for row in some] == [
        ("RAJ", 0), ("RAJ", None), ("RC9", 6), ("RC9", 7),
    ]  # fmt: skip
    [month] = reader.get(VALUES, measure="delay-transport")
    assert (month["interval"], month["body_name"], month["value"]) == ("month", "Mid", 3)


def test_pages_hold_every_value_once(reader: Caller) -> None:
    seen, address = [], f"{VALUES}?limit=3"
    while address:
        page = reader.client.get(address).json()
        assert len(page["results"]) <= 3
        seen += [(row["measure"], row["body"], row["date"]) for row in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 8
    assert seen == sorted(seen, key=lambda one: (one[0] != "nctr", one[1] != "RAJ", one[2]))


def test_csv(reader: Caller) -> None:
    answer = reader.client.get(f"{VALUES}?measure=nctr&limit=4&format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'rel="next"' in answer["Link"]
    table = answer.content.decode().splitlines()
    assert table[0] == "measure,body,body_name,date,interval,value,mark,doubt,file"
    assert table[3] == "nctr,RAJ,Mid,2024-01-03,day,,NA,,nctr.csv"


def test_measures_and_bodies(reader: Caller) -> None:
    measures = {row["measure"]: row for row in reader.get(PATHS[1])}
    assert set(measures) == {"nctr", "delay-transport"}
    transport = measures["delay-transport"]
    assert (transport["reason"], transport["code_set"]) == ("transport", "delay-reasons-2024")
    assert {row["body"] for row in reader.get(PATHS[2], kind="trust")} == {"RAJ", "RC9"}
    assert reader.get(PATHS[2], kind="icb") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("measure=weather", "measure"),
        ("body=RQQ", "body"),
        ("from=soon", "from"),
        ("to=2024-02-31", "to"),
        ("limit=0", "limit"),
        ("cursor=eW91", "cursor"),
        ("cursor=WzEsIDIsICJ4Il0", "cursor"),
        ("mesure=nctr", "mesure"),
        ("body=%00", "body"),
    ],
)
def test_slips_are_refused_with_what_to_do(reader: Caller, query: str, field: str) -> None:
    answer = reader.client.get(f"{VALUES}?{query}")
    assert answer.status_code == 400
    assert field in answer.content.decode()


def test_who_may(reader: Caller, organisation: Organisation) -> None:
    partner = Caller("partner", Role.PARTNER, TokenScope.OCCUPANCY_READ, organisation=organisation)
    places = Caller("places", Role.OBSERVER, TokenScope.PLACES_READ, organisation=organisation)
    for path in PATHS:
        assert reader.client.get(path).status_code == 200
        assert partner.client.get(path).status_code == 403
        assert places.client.get(path).status_code == 403
        assert Client().get(path).status_code == 401


def test_answers_have_the_shape_the_document_gives_them(reader: Caller) -> None:
    generator: Any = SchemaGenerator
    schema: dict[str, Any] = generator().get_schema(request=None, public=True)
    for path in PATHS:
        agrees(schema, answer_of(schema, path), reader.client.get(path).json(), path)


def test_as_many_queries_for_many_values(reader: Caller) -> None:
    def asked(limit: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            reader.get(VALUES, measure="nctr", body="RAJ", limit=limit)
        return len(queries)

    asked(1)
    assert asked(1) == asked(100) <= 6
