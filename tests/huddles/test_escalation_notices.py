"""Notices: of each change once, not at night to those off duty, and only while it is so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Role
from flow import beginning
from huddles.escalation import sending
from huddles.escalation.assessing import assess
from huddles.escalation.declaring import declare
from huddles.escalation.notice_deeds import Wish, end_rule, make_rule, set_hours
from huddles.escalation.noticing import note
from huddles.escalation.sending import MOST_TRIES, quiet_until, send_due
from huddles.escalation.values import tell
from huddles.models import Notice, NoticeHours, NoticeRule, OpelDeclaration, OpelValue
from tests.huddles.rules import load_example
from tests.screens.hospital import Hospital, build, signed_in, user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 22, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
About = NoticeRule.About


@pytest.fixture(autouse=True)
def _mail(settings: Settings) -> Iterator[None]:
    settings.MAIL_READY = True
    settings.PUBLIC_ADDRESS = "https://beds.example"
    beginning.forget()
    yield
    beginning.forget()


@pytest.fixture
def hospital() -> Hospital:
    made = build()
    load_example("TGH=1")
    return made


@pytest.fixture
def sam(hospital: Hospital) -> User:
    made = user("sam", Role.SITE_MANAGER, site=hospital.site)
    made.email = "sam@trust.example"
    made.save()
    return made


def wants(
    sam: User, hospital: Hospital, about: About = About.DECLARED, **more: object
) -> NoticeRule:
    wish = Wish(hospital.site, about, **({"level": 3} | more))  # type: ignore[arg-type]
    return make_rule(user=sam, wish=wish, at=NOON - timedelta(hours=2))


def declared(hospital: Hospital, sam: User, level: int, at: datetime) -> OpelDeclaration:
    last = OpelDeclaration.objects.filter(site=hospital.site).order_by("-at").first()
    return declare(
        site=hospital.site, level=level, reason="Bay of Mrs Featherstonehaugh",
        seen=last.pk if last else None, at=at, by=sam,
    )  # fmt: skip


def turn(at: datetime) -> int:
    """What the worker does: how many mails went out."""
    note(now=at)
    return send_due(now=at)


def test_each_change_is_told_once(hospital: Hospital, sam: User) -> None:
    wants(sam, hospital)
    declared(hospital, sam, 2, NOON)
    assert turn(NOON) == 0, "level 2 is below what is wanted"
    declared(hospital, sam, 3, NOON + MINUTE)
    assert turn(NOON + 2 * MINUTE) == 1
    assert turn(NOON + 3 * MINUTE) == 0
    [sent] = mail.outbox
    assert (sent.subject, sent.to) == (
        "Test hospital TGH: OPEL 3 declared", ["sam@trust.example"],
    )  # fmt: skip
    assert "declared by Sam on Mon 23 Nov 12:01" in sent.body
    assert "Before: OPEL 2." in sent.body
    assert "https://beds.example/sites/TGH/escalation/" in sent.body
    assert "Featherstonehaugh" not in f"{sent.body}{sent.subject}", "a reason is free text"
    declared(hospital, sam, 3, NOON + 4 * MINUTE)
    assert turn(NOON + 5 * MINUTE) == 0, "the same again is no change"
    declared(hospital, sam, 4, NOON + 6 * MINUTE)
    assert turn(NOON + 7 * MINUTE) == 1
    declared(hospital, sam, 2, NOON + 8 * MINUTE)
    assert turn(NOON + 9 * MINUTE) == 1, "told once that it is over"
    declared(hospital, sam, 1, NOON + 10 * MINUTE)
    assert turn(NOON + 11 * MINUTE) == 0


def test_what_was_before_the_rule_or_elsewhere_is_not_told(hospital: Hospital, sam: User) -> None:
    other = build(code="OTH")
    declared(hospital, sam, 4, NOON - timedelta(hours=3))
    wants(sam, hospital)
    declare(site=other.site, level=4, reason="So", seen=None, at=NOON, by=sam)
    declare(site=None, level=4, reason="So", seen=None, at=NOON, by=sam)
    assert turn(NOON + MINUTE) == 0
    make_rule(user=sam, wish=Wish(None, About.DECLARED, level=4), at=NOON)
    assert turn(NOON + MINUTE) == 1
    assert mail.outbox[0].subject == "The system: OPEL 4 declared"


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        (("20:00", "07:00"), "2026-11-23T19:59", None),
        (("20:00", "07:00"), "2026-11-23T20:00", "2026-11-24T07:00"),
        (("20:00", "07:00"), "2026-11-24T06:59", "2026-11-24T07:00"),
        (("20:00", "07:00"), "2026-11-24T07:00", None),
        (("12:00", "14:00"), "2026-11-23T13:00", "2026-11-23T14:00"),
        (("12:00", "14:00"), "2026-11-23T14:00", None),
        (("08:00", "08:00"), "2026-11-23T08:00", None),
        (("20:00", "07:00"), "2026-07-06T19:30", "2026-07-07T06:00"),  # 20:30 in London
    ],
)
def test_quiet_hours_are_by_the_clock_of_england(
    hours: tuple[str, str], at: str, until: str | None
) -> None:
    kept = NoticeHours(
        quiet_from=time.fromisoformat(hours[0]), quiet_until=time.fromisoformat(hours[1])
    )
    found = quiet_until(kept, datetime.fromisoformat(at).replace(tzinfo=UTC))
    wanted = None if until is None else datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert found == wanted


def test_at_night_it_waits_until_the_morning_if_it_is_still_so(
    hospital: Hospital, sam: User
) -> None:
    wants(sam, hospital)
    declared(hospital, sam, 3, NIGHT)
    assert turn(NIGHT + MINUTE) == 0
    assert turn(MORNING - MINUTE) == 0
    assert turn(MORNING) == 1
    declared(hospital, sam, 4, NIGHT + timedelta(days=1))
    turn(NIGHT + timedelta(days=1, minutes=1))
    declared(hospital, sam, 1, NIGHT + timedelta(days=1, hours=1))
    assert turn(MORNING + timedelta(days=1)) == 1, "only that it is over"
    assert mail.outbox[-1].subject == "Test hospital TGH: OPEL 1 declared"
    outcomes = Notice.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == ["sent", "overtaken", "sent"]


def test_who_is_on_duty_is_told_at_once(hospital: Hospital, sam: User) -> None:
    wants(sam, hospital)
    declared(hospital, sam, 3, NIGHT)
    assert turn(NIGHT + MINUTE) == 0
    set_hours(
        user=sam, quiet_from=time(20), quiet_until=time(7),
        on_duty_until=NIGHT + timedelta(hours=8), at=NIGHT + 2 * MINUTE,
    )  # fmt: skip
    assert turn(NIGHT + 2 * MINUTE) == 1
    with pytest.raises(Refused, match="more than eight days"):
        set_hours(
            user=sam, quiet_from=time(20), quiet_until=time(7),
            on_duty_until=NIGHT + timedelta(days=9), at=NIGHT,
        )  # fmt: skip


def fill(hospital: Hospital, sam: User, at: datetime, **values: float) -> None:
    for code, value in values.items():
        tell(
            site=hospital.site, parameter=code, value=value, as_at=at,
            source=OpelValue.Source.HAND, by=sam, at=at,
        )  # fmt: skip
    assess(at=at)


CALM = dict.fromkeys(
    (
        "ambulance_handover", "attendance_variation", "majors_resus_occupancy", "ga_occupancy",
        "time_to_treatment", "over_twelve_hours", "escalation_beds", "no_criteria_to_reside",
    ),
    0.0,
) | {"four_hour_performance": 99.0}  # fmt: skip


def test_a_computed_level_is_told_when_it_is_certain(hospital: Hospital, sam: User) -> None:
    wants(sam, hospital, About.COMPUTED, level=2)
    fill(hospital, sam, NOON, **CALM)  # 1
    worse = {"ambulance_handover": 90.0, "ga_occupancy": 100.0, "over_twelve_hours": 9.0}
    fill(hospital, sam, NOON + MINUTE, **worse)  # 14: level 2
    assert turn(NOON + MINUTE) == 1
    [sent] = mail.outbox
    assert sent.subject == "Test hospital TGH: computed level is OPEL 2 (example, not official)"
    assert "It comes of invented example cut-offs and is not official." in sent.body
    # Two hours later much is stale: nothing is certain, and nobody is told of a change.
    assess(at=NOON + timedelta(hours=2))
    assert turn(NOON + timedelta(hours=2)) == 0
    fill(hospital, sam, NOON + timedelta(hours=2, minutes=1), **CALM | worse)
    assert turn(NOON + timedelta(hours=2, minutes=1)) == 0, "level 2 as before"


def test_a_value_is_told_when_it_gets_past_the_threshold(hospital: Hospital, sam: User) -> None:
    wants(sam, hospital, About.VALUE, level=None, parameter="ambulance_handover", threshold=30.0)
    wants(sam, hospital, About.VALUE, level=None, parameter="four_hour_performance", threshold=70.0)
    for minute, value in enumerate((20.0, 31.0, 33.0, 29.0, 40.0)):
        fill(hospital, sam, NOON + minute * MINUTE, ambulance_handover=value)
        assert turn(NOON + minute * MINUTE) == (value in (31.0, 40.0)), value
    assert (
        mail.outbox[0].subject == "Test hospital TGH: Average ambulance handover time is 31 minutes"
    )
    fill(hospital, sam, NOON + 6 * MINUTE, four_hour_performance=71.0)
    fill(hospital, sam, NOON + 7 * MINUTE, four_hour_performance=69.0)
    assert turn(NOON + 7 * MINUTE) == 1, "lower is worse"
    assess(at=NOON + timedelta(hours=2))
    fill(hospital, sam, NOON + timedelta(hours=2, minutes=1), ambulance_handover=41.0)
    assert turn(NOON + timedelta(hours=2, minutes=1)) == 0, "not known between, and past as before"


def test_a_mail_server_that_is_away_is_tried_again(
    hospital: Hospital, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> int:
        raise SMTPServerDisconnected

    wants(sam, hospital)
    declared(hospital, sam, 3, NOON)
    with monkeypatch.context() as patched:
        patched.setattr(sending, "send_mail", away)
        assert turn(NOON) == 0
    assert turn(NOON + timedelta(seconds=30)) == 0, "not at once"
    assert turn(NOON + MINUTE) == 1
    declared(hospital, sam, 4, NOON + 2 * MINUTE)
    monkeypatch.setattr(sending, "send_mail", away)
    at = NOON + 2 * MINUTE
    for number in range(MOST_TRIES):
        turn(at)
        at += timedelta(minutes=2**number)
    assert Notice.objects.latest("pk").outcome == "failed"


def test_who_may_no_longer_see_the_place_is_not_told(hospital: Hospital, sam: User) -> None:
    wants(sam, hospital)
    declared(hospital, sam, 3, NOON)
    sam.grants.all().delete()
    assert turn(NOON) == 0
    assert Notice.objects.get().outcome == "overtaken"


def test_the_database_has_the_last_word(hospital: Hospital, sam: User) -> None:
    rule = wants(sam, hospital)
    said = {"rule": rule, "cause": "declared:1", "subject": "S", "text": "T", "at": NOON}
    Notice.objects.create(next_try_at=NOON, **said)
    for model, wrong in (
        (Notice, said | {"next_try_at": NOON}),
        (NoticeRule, {"user": sam, "about": "value", "made_at": NOON}),
        (NoticeRule, {"user": sam, "about": "declared", "made_at": NOON}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(**wrong)


def test_without_mail_nothing_is_noted(hospital: Hospital, sam: User, settings: Settings) -> None:
    settings.MAIL_READY = False
    wants(sam, hospital)
    declared(hospital, sam, 3, NOON)
    assert turn(NOON) == 0
    assert not Notice.objects.exists()


# --- the page ---------------------------------------------------------------------------------

NOTICES = "/escalation/notices/"


def post(client: Client, deed: str, **more: str) -> tuple[int, str]:
    answer = client.post(NOTICES, {"deed": deed} | more, follow=True)
    return answer.status_code, answer.content.decode()


def test_everybody_says_for_themselves_what_they_want(hospital: Hospital, sam: User) -> None:
    client = signed_in(sam)
    level = {"site": "TGH", "about": "declared", "level": "3"}
    assert post(client, "rule", **level)[0] == 200
    rule = NoticeRule.objects.get()
    assert (rule.user, rule.site, rule.level) == (sam, hospital.site, 3)
    status, said = post(client, "rule", **level)
    assert (status, "You are told of that already." in said) == (409, True)
    value = {"site": "TGH", "about": "value", "parameter": "ambulance_handover", "threshold": "30"}
    said = post(client, "rule", **value)[1]
    assert "Test hospital TGH: Average ambulance handover time worse than 30" in said
    assert "Test hospital TGH: OPEL 3 or more declared" in said
    for wrong, told in (
        (level | {"level": ""}, "Choose a level."),
        (value | {"parameter": ""}, "Choose a parameter."),
        (value | {"threshold": "much"}, "Give a number"),
        (value | {"site": "system"}, "A value is of one site."),
        (level | {"site": "OTH"}, "Select a valid choice"),
    ):
        status, said = post(client, "rule", **wrong)
        assert (status, told in said) == (422, True), wrong
    other = user("other", Role.OBSERVER, everywhere=True)
    assert post(signed_in(other), "end", rule=str(rule.pk))[0] == 409, "it is not theirs"
    assert "no e-mail address" in post(signed_in(other), "rule", **level)[1]
    assert post(client, "end", rule=str(rule.pk))[0] == 200
    with pytest.raises(Refused, match="ended already"):
        end_rule(user=sam, rule=rule.pk, at=NOON)


def test_hours_are_said_on_the_page(hospital: Hospital, sam: User, settings: Settings) -> None:
    client = signed_in(sam)
    said = post(client, "hours", quiet_from="22:00", quiet_until="06:00", on_duty_until="")[1]
    assert "Your hours are recorded." in said
    assert NoticeHours.objects.get().quiet_from == time(22)
    assert post(client, "hours", quiet_from="late", quiet_until="06:00")[0] == 422
    settings.MAIL_READY = False
    assert "No e-mail is sent from here." in client.get(NOTICES).content.decode()
