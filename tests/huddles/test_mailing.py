"""The summary is mailed once to those who are to have it, and names no patient."""

from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPServerDisconnected
from threading import Thread

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.roles import Role
from huddles.actions.agreeing import agree
from huddles.actions.understanding import Owner
from huddles.meetings.addresses import address_of
from huddles.meetings.freezing import as_seen
from huddles.meetings.holding import Said, close_meeting, confirm, open_meeting
from huddles.meetings.mailing import TRIED_FOR, mail_summaries
from huddles.models import Huddle, HuddleTemplate
from tests.huddles.meeting import next_start, seen_by, template_of
from tests.screens.hospital import FAMILY, Hospital, build, signed_in, user


@pytest.fixture(autouse=True)
def _mail(settings: Settings) -> None:
    settings.MAIL_READY = True
    settings.PUBLIC_ADDRESS = "https://beds.example"


def held(
    hospital: Hospital, chair: User, *to: str, starts: datetime | None = None
) -> tuple[HuddleTemplate, Huddle]:
    """A meeting that has ended, with the name of a patient typed wherever one can type."""
    starts, now = starts or next_start(), timezone.now()
    template = template_of(hospital, starts=starts, mail_to=list(to))
    confirm(
        template=template, starts_at=starts, ward=hospital.wards[0], at=now, by=chair,
        said=Said(concern=f"{FAMILY} wanders"),
    )  # fmt: skip
    huddle = open_meeting(template=template, starts_at=starts, first="site", at=now, by=chair)
    agree(
        site=hospital.site, text=f"ring {FAMILY}’s son", owner=Owner(name="Jo"), by=chair,
        due_at=now + timedelta(hours=1), at=now, huddle=huddle,
    )  # fmt: skip
    frozen = as_seen(seen_by(template, starts, None))
    return template, close_meeting(huddle=huddle, frozen=frozen, at=timezone.now(), by=chair)


@pytest.mark.django_db
def test_it_goes_once_to_all_of_them(hospital: Hospital) -> None:
    chair = user("chair", Role.BED_MANAGER, site=hospital.site)
    template, huddle = held(hospital, chair, "a@trust.example", "b@trust.example")
    now = timezone.now()
    assert (mail_summaries(now=now), mail_summaries(now=now)) == (1, 0)
    [message] = mail.outbox
    assert isinstance(message, EmailMessage)
    assert message.to == ["a@trust.example", "b@trust.example"]
    assert "Morning huddle, Test hospital TGH" in message.subject
    assert "ring … son, Jo" in message.body
    summary = address_of("summary", template.pk, huddle.starts_at)
    assert f"https://beds.example{summary}" in message.body
    assert FAMILY.lower() not in f"{message.subject} {message.body}".lower()
    [(name, content, kind)] = message.attachments
    assert (str(name).endswith(".pdf"), kind, bytes(content)[:5]) == (
        True, "application/pdf", b"%PDF-",
    )  # fmt: skip
    shown = signed_in(chair).get(summary).content.decode()
    assert "Mailed" in shown


@pytest.mark.django_db
def test_it_goes_nowhere_without_an_address_a_server_or_an_end(
    hospital: Hospital, settings: Settings
) -> None:
    chair = user("chair", Role.BED_MANAGER, site=hospital.site)
    held(hospital, chair)
    assert mail_summaries(now=timezone.now()) == 0
    other = build(code="OTH")
    manager = user("manager2", Role.BED_MANAGER, site=other.site)
    _template, huddle = held(other, manager, "a@trust.example")
    assert huddle.closed_at is not None
    assert mail_summaries(now=huddle.closed_at + TRIED_FOR + timedelta(minutes=1)) == 0
    settings.MAIL_READY = False
    assert mail_summaries(now=timezone.now()) == 0
    assert mail.outbox == []


@pytest.mark.django_db
def test_what_cannot_be_sent_is_sent_later_and_holds_up_no_other(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    chair = user("chair", Role.BED_MANAGER, site=hospital.site)
    held(hospital, chair, "away@trust.example")
    other = build(code="OTH")
    held(other, user("manager2", Role.BED_MANAGER, site=other.site), "b@trust.example")
    send = EmailMessage.send

    def broken(self: EmailMessage, fail_silently: bool = False) -> int:
        if "away@trust.example" in self.to:
            raise SMTPServerDisconnected("gone")
        return send(self, fail_silently)

    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", broken)
        assert mail_summaries(now=timezone.now()) == 1
    assert [message.to for message in mail.outbox] == [["b@trust.example"]]
    assert mail_summaries(now=timezone.now()) == 1
    assert len(mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_it_once(hospital: Hospital) -> None:
    chair = user("chair", Role.BED_MANAGER, site=hospital.site)
    held(hospital, chair, "a@trust.example")
    counts: list[int] = []

    def work() -> None:
        try:
            counts.append(mail_summaries(now=timezone.now()))
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 1]
    assert len(mail.outbox) == 1
