"""Actions: agreed in a line, over by the deed that they are about, seen by who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Role
from huddles.actions.agreeing import About, agree, change, drop, finish, reopen
from huddles.actions.states import with_states
from huddles.actions.understanding import Owner, understood
from huddles.masking import HIDDEN
from huddles.models import Action
from patients.models import Barrier, Episode
from tests.screens.hospital import FAMILY, Hospital, build, signed_in, user
from tests.screens.rounds import Care
from wards import barriers, bed_states, movements
from wards.barriers import Said
from wards.facts import Place
from wards.models import Bed, Closure

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
PAGE = "/actions/"


@pytest.fixture
def chair(hospital: Hospital) -> User:
    """Runs the huddle of the site."""
    return user("chair", Role.BED_MANAGER, site=hospital.site)


def agreed(hospital: Hospital, by: User, text: str = "See bed 1", **more: Any) -> Action:
    now = timezone.now()
    said: dict[str, Any] = {"owner": Owner(user=by), "due_at": now + HOUR} | more
    return agree(site=hospital.site, text=text, at=now, by=by, **said)


def state(action: Action, at: datetime | None = None) -> Any:
    return with_states(Action.objects.filter(pk=action.pk), at=at or timezone.now()).get()


def first_stay(hospital: Hospital) -> Episode:
    bed = hospital.beds(hospital.wards[0])[0]
    return Episode.objects.get(occupancies__bed=bed)


# --- what the database refuses ------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"owner": None},
        {"ending": "discharged"},
        {"ending": "moved"},
        {"ending": "barrier"},
        {"ending": "reopened"},
        {"ending": "bed_ready"},
        {"outcome": "done"},
        {"over_at": timezone.now()},
    ],
)
def test_the_database_keeps_no_half_action(
    hospital: Hospital, chair: User, wrong: dict[str, Any]
) -> None:
    now = timezone.now()
    values = {
        "site": hospital.site, "text": "See bed 1", "owner": chair, "due_at": now + HOUR,
        "agreed_at": now, "by": chair,
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Action.objects.create(**(values | wrong))
    Action.objects.create(**values)


def test_every_change_is_kept(hospital: Hospital, chair: User) -> None:
    action = agreed(hospital, chair)
    change(
        action=action, at=timezone.now(), by=chair, text="See bed 2", owner=Owner(name="Jo"),
        due_at=action.due_at,
    )  # fmt: skip
    finish(action=action, at=timezone.now(), by=chair, note="seen")
    kept = action.events.order_by("pgh_id")  # type: ignore[attr-defined]  # made by pghistory
    assert [(one.text, one.outcome) for one in kept] == [
        ("See bed 1", ""), ("See bed 2", ""), ("See bed 2", "done"),
    ]  # fmt: skip


# --- what a line means --------------------------------------------------------------------------


def test_a_line_finds_the_person_the_team_and_who_is_in_the_bed(
    hospital: Hospital, sam: User, care: Care
) -> None:
    at = timezone.now()
    ward = hospital.wards[0]
    said = understood("therapy to see bed 1 in 20 min, Sam", site=hospital.site, at=at, ward=ward)
    assert (said.owner.user, said.owner.team) == (sam, care.therapy)
    assert said.bed == hospital.beds(ward)[0]
    assert said.episode == first_stay(hospital).pk
    assert said.text == "therapy to see bed 1"
    assert said.doubts == ()


def test_what_is_in_doubt_is_said_and_not_guessed(hospital: Hospital, sam: User) -> None:
    user("sam2", Role.WARD_NURSE, site=hospital.site).save()
    User.objects.filter(username="sam2").update(first_name="Sam")
    said = understood("see bed 1 by 23:59, Sam", site=hospital.site, at=timezone.now())
    assert said.bed is None
    assert said.owner == Owner(name="Sam")
    assert len(said.doubts) == 2
    named = understood("see ward 2 bed 1 by 23:59, X", site=hospital.site, at=timezone.now())
    assert named.bed == hospital.beds(hospital.wards[1])[0]
    assert named.episode is None
    assert named.owner == Owner(name="X")


def test_who_has_no_role_here_is_only_a_name(hospital: Hospital) -> None:
    elsewhere = build(code="OTH")
    user("pat", Role.WARD_NURSE, site=elsewhere.site)
    gone = user("kim", Role.WARD_NURSE, site=hospital.site)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for name in ("pat", "kim"):
        said = understood(f"do it by noon, {name}", site=hospital.site, at=timezone.now())
        assert said.owner == Owner(name=name)


# --- what ends one ------------------------------------------------------------------------------

Setting = tuple[About, Callable[[], object], Callable[[], object] | None]


def _barrier(hospital: Hospital, care: Care, by: User) -> Setting:
    stay = first_stay(hospital)
    barrier = care.waits(stay, "transport")
    said = Said(timezone.now(), by)
    return (
        About(hospital.wards[0], stay, barrier=barrier, ending=Action.Ending.BARRIER),
        lambda: barriers.resolve(barrier=barrier, said=Said(timezone.now(), by)),
        lambda: barriers.reopen(barrier=Barrier.objects.get(pk=barrier.pk), said=said),
    )


def _closure(hospital: Hospital, care: Care, by: User) -> Setting:
    bed = hospital.beds(hospital.wards[1])[0]
    bed_states.close(bed=bed.pk, reason="estates", since=timezone.now() - HOUR, by=by)
    closure = Closure.objects.get()
    return (
        About(hospital.wards[1], closure=closure, ending=Action.Ending.REOPENED),
        lambda: bed_states.reopen(closure=closure.pk, at=timezone.now(), by=by),
        None,
    )


def _discharge(hospital: Hospital, care: Care, by: User) -> Setting:
    stay = first_stay(hospital)

    def leave() -> None:
        movements.discharge(episode=stay, at=timezone.now(), by=by)

    def back() -> None:
        move = stay.visit.movements.get(kind="discharged")
        movements.cancel(movement=move, at=timezone.now(), by=by)

    return About(hospital.wards[0], stay, ending=Action.Ending.DISCHARGED), leave, back


def _move(hospital: Hospital, care: Care, by: User) -> Setting:
    stay, other = first_stay(hospital), hospital.beds(hospital.wards[1])[0]

    def move(bed: Bed) -> None:
        place = Place(bed.ward_id, bed.bay_id, bed.pk)
        movements.transfer(episode=stay, place=place, at=timezone.now(), by=by)

    # Within the ward is no way out of it.
    about = About(hospital.wards[0], stay, ending=Action.Ending.MOVED)
    return about, lambda: move(other), None


def _clean(hospital: Hospital, care: Care, by: User) -> Setting:
    bed = hospital.beds(hospital.wards[1])[0]

    def told(status: str) -> None:
        now = timezone.now()
        bed_states.record_status(
            bed=bed.pk, status=status, occurred_at=now, sent_at=now, source="test", key=status
        )

    told("K")
    return About(bed=bed, ending=Action.Ending.BED_READY), lambda: told("U"), None


def _open(hospital: Hospital, care: Care, by: User) -> Setting:
    bed = hospital.beds(hospital.wards[1])[0]
    Bed.objects.filter(pk=bed.pk).update(funding="escalation")
    return (
        About(bed=bed, ending=Action.Ending.BED_OPENED),
        lambda: bed_states.open_escalation(bed=bed.pk, since=timezone.now(), by=by),
        None,
    )


@pytest.mark.parametrize("made", [_barrier, _closure, _discharge, _move, _clean, _open])
def test_doing_the_thing_there_ends_it_and_taking_it_back_opens_it(
    hospital: Hospital, care: Care, chair: User, made: Callable[..., Setting]
) -> None:
    about, do, take_back = made(hospital, care, chair)
    action = agreed(hospital, chair, about=about)
    before = timezone.now()
    assert state(action).ended_at is None
    do()
    done = state(action)
    assert done.ended_at is not None
    assert before <= done.ended_at <= timezone.now()
    assert done.outcome == ""
    with pytest.raises(Refused, match="over already"):
        finish(action=action, at=timezone.now(), by=chair)
    assert state(action, before).ended_at is None
    if take_back:
        take_back()
        assert state(action).ended_at is None


def test_the_same_deed_of_before_does_not_end_it(hospital: Hospital, chair: User) -> None:
    bed = hospital.beds(hospital.wards[1])[0]
    earlier = timezone.now() - HOUR
    bed_states.record_status(
        bed=bed.pk, status="U", occurred_at=earlier, sent_at=earlier, source="test", key="u"
    )
    action = agreed(hospital, chair, about=About(bed=bed, ending=Action.Ending.BED_READY))
    assert state(action).ended_at is None


def test_a_closure_that_ends_tonight_is_open_until_then(hospital: Hospital, chair: User) -> None:
    now = timezone.now()
    bed_states.close(
        bed=hospital.beds(hospital.wards[1])[0].pk, reason="estates", since=now - HOUR,
        until=now + HOUR, by=chair,
    )  # fmt: skip
    about = About(closure=Closure.objects.get(), ending=Action.Ending.REOPENED)
    action = agreed(hospital, chair, about=about)
    assert state(action).ended_at is None
    assert state(action, now + 2 * HOUR).ended_at is not None


def test_somebodys_word_ends_it_with_a_note(hospital: Hospital, chair: User) -> None:
    action = agreed(hospital, chair)
    with pytest.raises(Refused, match="why"):
        drop(action=action, at=timezone.now(), by=chair, note=" ")
    finish(action=action, at=timezone.now(), by=chair, note="  seen  at ten ")
    action.refresh_from_db()
    assert (action.outcome, action.over_by, action.over_note) == ("done", chair, "seen at ten")
    with pytest.raises(Refused, match="already"):
        finish(action=action, at=timezone.now(), by=chair)
    reopen(action=action, at=timezone.now(), by=chair)
    assert state(action).ended_at is None
    with pytest.raises(Refused, match="Nobody has said"):
        reopen(action=action, at=timezone.now(), by=chair)
    drop(action=action, at=timezone.now(), by=chair, note="went home")


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"text": "  "}, "what is to be done"),
        ({"text": "x" * 301}, "shorten"),
        ({"owner": Owner()}, "who does it"),
        ({"due_at": timezone.now() - HOUR}, "is over"),
        ({"due_at": timezone.now() + timedelta(days=40)}, "month"),
    ],
)
def test_what_is_not_agreed(
    hospital: Hospital, chair: User, wrong: dict[str, Any], word: str
) -> None:
    with pytest.raises(Refused, match=word):
        agreed(hospital, chair, **wrong)
    assert not Action.objects.exists()


def test_the_same_said_twice_is_agreed_once(hospital: Hospital, chair: User) -> None:
    one = agreed(hospital, chair, source="api", key="7")
    assert agreed(hospital, chair, source="api", key="7") == one
    assert agreed(hospital, chair, source="other", key="7") != one


# --- the page -----------------------------------------------------------------------------------


def send(client: Client, address: str = PAGE, **said: str) -> tuple[int, str]:
    answer = client.post(address, said, follow=True)
    return answer.status_code, answer.content.decode()


def test_a_line_is_agreed_done_and_opened_again(hospital: Hospital, chair: User, sam: User) -> None:
    browser, sams = signed_in(chair), signed_in(sam)
    line = "see ward 2 bed 3 by 23:59 tomorrow, Sam"
    status, shown = send(browser, deed="agree", line=line, site="TGH")
    assert status == 200
    assert "Agreed: Sam, by" in shown
    assert "Ward 2, 3" in shown
    action = Action.objects.get()
    assert (action.owner, action.ward, action.by) == (sam, hospital.wards[1], chair)
    mine = sams.get(PAGE).content.decode()
    assert "see ward 2 bed 3" in mine
    assert "Done" in send(sams, deed="done", action=str(action.pk))[1]
    assert "Nothing is asked of you" in sams.get(PAGE).content.decode()
    over = f"{PAGE}?state=over"
    assert "Sam said so" in sams.get(over).content.decode()
    assert send(sams, over, deed="reopen", action=str(action.pk))[0] == 200
    assert "see ward 2 bed 3" in sams.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("see bed 1, Sam", "Say by when"),
        ("see bed 1 by 11", "Say who does it"),
        ("", "Say what is to be done"),
    ],
)
def test_a_refused_line_is_kept(hospital: Hospital, chair: User, line: str, word: str) -> None:
    status, shown = send(signed_in(chair), deed="agree", line=line, site="TGH")
    assert status == 422
    assert word in shown
    assert f'value="{line}"' in shown
    assert not Action.objects.exists()


def test_it_is_about_what_somebody_came_from(hospital: Hospital, care: Care, chair: User) -> None:
    barrier = care.waits(first_stay(hospital), "transport")
    browser, address = signed_in(chair), f"{PAGE}?barrier={barrier.pk}"
    assert barrier.reason.label in browser.get(address).content.decode()
    send(browser, address, deed="agree", line="book it by 23:59 tomorrow, Jo", by_deed="1")
    action = Action.objects.get()
    assert (action.barrier, action.ending) == (barrier, "barrier")
    barriers.resolve(barrier=barrier, said=Said(timezone.now(), chair))
    shown = browser.get(f"{PAGE}?whose=site&state=over&site=TGH").content.decode()
    assert "The barrier is over" in shown


def test_an_owner_sees_theirs_without_the_name_and_others_nothing(
    hospital: Hospital, chair: User, sam: User
) -> None:
    stay = first_stay(hospital)
    about = About(hospital.wards[0], stay)
    said = f"ask the son of Mrs {FAMILY.lower()} about keys"
    action = agreed(hospital, chair, said, owner=Owner(user=sam), about=about)
    theirs = signed_in(sam).get(PAGE).content.decode()
    assert f"Mrs {HIDDEN} about keys" in theirs
    assert FAMILY.lower() not in theirs.lower()
    assert FAMILY.upper() in signed_in(chair).get(f"{PAGE}?whose=site").content.decode()
    watching = signed_in(user("watching", Role.OBSERVER, everywhere=True))
    assert "about keys" not in watching.get(f"{PAGE}?whose=site").content.decode()
    assert watching.post(PAGE, {"deed": "done", "action": action.pk}).status_code == 404
    other = signed_in(user("other", Role.WARD_NURSE, site=hospital.site))
    assert other.post(PAGE, {"deed": "change", "action": action.pk}).status_code == 422
    assert watching.post(PAGE, {"deed": "agree", "line": "x by 11, y"}).status_code == 403


def test_a_site_that_is_not_theirs_is_not_theirs_to_agree_for(hospital: Hospital) -> None:
    elsewhere = build(code="OTH")
    nurse = signed_in(user("nurse2", Role.WARD_NURSE, ward=elsewhere.wards[0]))
    status, _shown = send(nurse, deed="agree", line="x by 23:59 tomorrow, y", site="TGH")
    assert status == 422  # their own site, and of that one ward only
    line = "see ward 1 bed 1 by 23:59 tomorrow, y"
    assert send(nurse, deed="agree", line=line, site="TGH")[0] == 200
    assert Action.objects.get().site == elsewhere.site


@pytest.mark.parametrize("whose", ["mine", "teams", "site"])
def test_as_many_queries_for_one_as_for_forty(
    hospital: Hospital, chair: User, care: Care, whose: str
) -> None:
    manager = user("all", Role.SITE_MANAGER, everywhere=True)
    browser = signed_in(manager)

    def more(number: int) -> int:
        for _ in range(number):
            agreed(
                hospital, manager, owner=Owner(user=manager, team=care.therapy),
                about=About(hospital.wards[0], first_stay(hospital)),
            )  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(f"{PAGE}?whose={whose}").status_code == 200
        return len(asked)

    more(1)
    few = more(1)
    assert more(40) == few <= 16


def test_what_it_can_be_about_leads_to_it(hospital: Hospital, care: Care, chair: User) -> None:
    stay, ward = first_stay(hospital), hospital.wards[0]
    barrier = care.waits(stay, "transport")
    dirty = hospital.beds(ward)[5]
    now = timezone.now()
    bed_states.record_status(
        bed=dirty.pk, status="K", occurred_at=now, sent_at=now, source="test", key="k"
    )
    bay = dirty.bay_id
    bed_states.close(bay=bay, reason="estates", since=now - HOUR, by=chair)
    closure = Closure.objects.get()
    browser = signed_in(chair)
    watching = signed_in(user("watching", Role.READER, site=hospital.site))
    bed = hospital.beds(ward)[0].pk
    for page, about in (
        (f"/barriers/{barrier.pk}/", f"barrier={barrier.pk}"),
        (f"/beds/{bed}/", f"stay={stay.pk}"),
        (f"/closing/{ward.pk}/", f"closure={closure.pk}"),
    ):
        link = f"{PAGE}?{about}"
        assert link in browser.get(page).content.decode(), page
        assert link not in watching.get(page).content.decode(), page
        assert "About <strong>" in browser.get(link).content.decode()
        # Who may not act there is shown nothing of it.
        assert "About <strong>" not in watching.get(link).content.decode()
