"""A key in an address may be any number: one that no row can have is answered as not found."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from accounts.roles import Role
from tests.screens.hospital import Hospital, build, signed_in, user

HUGE = str(10**30)


def _keyed(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _keyed(entry, pattern)
        elif "<int:" in pattern:
            yield pattern


ROUTES = sorted(set(_keyed(get_resolver())))


@pytest.fixture
def manager(db: None) -> Client:
    hospital: Hospital = build()
    person = user("everything", Role.BED_MANAGER, site=hospital.site)
    person.is_superuser = person.is_staff = True
    person.save()
    return signed_in(person)


def _asked(client: Client, method: str, address: str) -> int:
    if method == "post" and address.startswith("/api/"):
        return client.post(address, {}, content_type="application/json").status_code
    return client.generic(method.upper(), address).status_code


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_key_that_no_row_can_have_is_not_found(manager: Client, method: str) -> None:
    assert len(ROUTES) > 30, "the routes were found"
    wrong: list[tuple[str, object]] = []
    status: object
    for route in ROUTES:
        address = re.sub(r"<int:\w+>", HUGE, route)
        address = re.sub(r"<\w+:code>", "TGH", address)
        address = re.sub(r"<[^>]*>", "x", address)
        try:
            with transaction.atomic():
                status = _asked(manager, method, address)
        except DatabaseError as error:
            status = str(error)
        if status not in (301, 302, 400, 401, 403, 404, 405):
            wrong.append((route, status))
    assert wrong == []
