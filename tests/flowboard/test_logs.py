"""What stands in the logs, and what never does."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from celery import Celery
from django.db import IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from flowboard import logs

NHS_NUMBER = "9990001234"
SECRETS = (NHS_NUMBER, "999 000 1234", "Bloggs", "M1234567")
log = logging.getLogger("flowboard.test")


class Lines:
    """Everything logged while a test runs, as it would be written."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(formatter)
        self.handler.addFilter(logs.Unquoting())

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def parsed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def show_nobody(self) -> None:
        for secret in SECRETS:
            assert secret not in self.text


@pytest.fixture(params=[logs.JsonLines, logs.PlainLines])
def lines(request: pytest.FixtureRequest) -> Iterator[Lines]:
    found = Lines(request.param())
    root = logging.getLogger()
    root.addHandler(found.handler)
    yield found
    root.removeHandler(found.handler)


@pytest.fixture
def json_lines() -> Iterator[Lines]:
    found = Lines(logs.JsonLines())
    root = logging.getLogger()
    root.addHandler(found.handler)
    yield found
    root.removeHandler(found.handler)


def broken(request: HttpRequest, mrn: str) -> HttpResponse:
    raise ValueError(f"no patient {mrn}, Bloggs, {NHS_NUMBER}")


urlpatterns = [path("patients/<str:mrn>/", broken)]


def test_a_line_is_one_object_with_its_own_fields(json_lines: Lines) -> None:
    log.info("counted", extra={"ward": 12, "took": 0.5})
    (line,) = json_lines.parsed
    assert line["event"] == "counted"
    assert line["level"] == "info"
    assert line["logger"] == "flowboard.test"
    assert (line["ward"], line["took"]) == (12, 0.5)
    assert line["time"].endswith("Z")


def test_a_line_break_cannot_forge_a_second_line(json_lines: Lines) -> None:
    log.warning("first\nsecond")
    assert len(json_lines.parsed) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"GET /api/v1/episodes/?mrn=M1234567&name=Bloggs {NHS_NUMBER}",
        "NHS number 999 000 1234",
        f"PID|1||M1234567^^^RNM^MR~{NHS_NUMBER}^^^NHS^NH||Bloggs^Jo",
    ],
)
def test_what_slips_into_a_message_is_taken_out(lines: Lines, text: str) -> None:
    log.warning(text)
    log.warning("%s", text)
    log.warning("said", extra={"text": text})
    lines.show_nobody()
    assert lines.text.count("\n") == 3


def test_times_ports_and_keys_are_left_as_they_are() -> None:
    text = "2026-11-21T08:00:00.123Z 127.0.0.1:2575 ward:1234 took 12345678901 at 1700000000.5"
    assert logs.conceal(text) == text


def test_an_exception_is_named_with_its_place_but_not_quoted(json_lines: Lines) -> None:
    try:
        raise ValueError(f"Bloggs has {NHS_NUMBER}")
    except ValueError:
        log.exception("failed")
    json_lines.show_nobody()
    (line,) = json_lines.parsed
    assert line["error"]["type"] == "builtins.ValueError"
    assert "test_logs.py" in line["error"]["at"][-1]


def test_an_exception_among_the_arguments_is_named_but_not_quoted(lines: Lines) -> None:
    log.warning("could not apply it: %s", ValueError(f"Bloggs has {NHS_NUMBER}"))
    lines.show_nobody()
    assert "could not apply it: ValueError" in lines.text


def test_a_failed_task_is_named_without_its_arguments(lines: Lines) -> None:
    app = Celery("test", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = True

    @app.task(name="interop.tasks.fail")  # type: ignore[untyped-decorator]
    def fail(text: str) -> None:
        raise ValueError(text)

    fail.delay(f"Bloggs has {NHS_NUMBER}")
    lines.show_nobody()
    assert "task interop.tasks.fail raised unexpected" in lines.text
    assert "ValueError" in lines.text


def test_a_database_error_gives_its_codes_but_not_the_row(json_lines: Lines, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE people (name text CONSTRAINT one_name UNIQUE)")
        cursor.execute("INSERT INTO people VALUES ('Bloggs')")
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO people VALUES ('Bloggs')")
    except IntegrityError:
        log.exception("refused")
    json_lines.show_nobody()
    cause = json_lines.parsed[0]["error"]["cause"]
    assert cause["type"] == f"psycopg.errors.{psycopg.errors.UniqueViolation.__name__}"
    assert cause["constraint"] == "one_name"


def test_a_failing_request_is_logged_by_route(
    lines: Lines, client: Client, settings: Settings
) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["flowboard.middleware.RequestLog"]
    client.raise_request_exception = False
    response = client.get(f"/patients/M1234567/?nhs={NHS_NUMBER}", {"name": "Bloggs"})
    assert response.status_code == 500
    lines.show_nobody()
    assert "patients/<str:mrn>/" in lines.text
    assert "ValueError" in lines.text


def test_an_address_that_is_none_is_not_repeated(lines: Lines, client: Client, db: None) -> None:
    client.get(f"/nowhere/Bloggs/{NHS_NUMBER}/?mrn=M1234567")
    client.post("/nowhere/M1234567/", {"name": "Bloggs"})
    lines.show_nobody()
    assert "no route" in lines.text


def test_a_request_carries_one_id_through_every_line_and_back(
    json_lines: Lines, client: Client, db: None
) -> None:
    response = client.get("/nowhere/", headers={"X-Request-ID": "proxy-4711-abc"})
    assert response["X-Request-ID"] == "proxy-4711-abc"
    assert {line["request"] for line in json_lines.parsed} == {"proxy-4711-abc"}


@pytest.mark.parametrize("given", ["short", "a b c d e f g h", "x" * 65, "id\tforged=1"])
def test_a_strange_request_id_is_replaced(client: Client, db: None, given: str) -> None:
    response = client.get("/nowhere/", headers={"X-Request-ID": given})
    assert response["X-Request-ID"] != given
    assert len(response["X-Request-ID"]) == 32


def test_health_checks_do_not_fill_the_log(json_lines: Lines, client: Client) -> None:
    client.get("/health/live")
    assert json_lines.text == ""
