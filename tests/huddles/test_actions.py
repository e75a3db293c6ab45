"""Actions: agreed in a line, over by the deed that they are about, seen by who may."""

from __future__ import annotations

import re
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
from huddles.actions.agreeing import About, agree, change, drop, finish, reopen, version_of
from huddles.actions.asking import agreed as said_in_line
from huddles.actions.states import ended_at, with_states
from huddles.actions.understanding import Owner, understood
from huddles.masking import HIDDEN
from huddles.models import Action
from patients.models import Barrier, Episode
from tests.screens.hospital import FAMILY, Hospital, add_beds, build, signed_in, user
from tests.screens.rounds import Care, code
from wards import barriers, bed_states, movements
from wards.barriers import Said
from wards.facts import Place
from wards.models import Bed, Closure, Ward
from wards.scope import scope_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
PAGE = "/actions/"


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


def okafor(hospital: Hospital) -> User:
    made = user("sokafor", Role.WARD_NURSE, site=hospital.site)
    User.objects.filter(pk=made.pk).update(first_name="Sam", last_name="Okafor")
    return made


@pytest.mark.parametrize("name", ["Okafor", "S Okafor", "S. Okafor", "Dr Sam Okafor", "sokafor"])
def test_people_are_known_as_they_are_called(hospital: Hospital, name: str) -> None:
    sam = okafor(hospital)
    said = understood(f"chase CT by 23:59, {name}", site=hospital.site, at=timezone.now())
    assert (said.owner, said.doubts) == (Owner(user=sam), ())


@pytest.mark.parametrize("name", ["therapy team", "the therapies", "ther"])
def test_teams_are_known_as_they_are_called(hospital: Hospital, care: Care, name: str) -> None:
    said = understood(f"chase CT by 23:59, {name}", site=hospital.site, at=timezone.now())
    assert (said.owner.team, said.doubts) == (care.therapy, ())


def test_who_is_known_may_stand_first_and_nobody_is_made_up(hospital: Hospital, care: Care) -> None:
    sam, now = okafor(hospital), timezone.now()

    def read(line: str) -> Any:
        return understood(line, site=hospital.site, at=now)

    said = read("Sam Okafor, chase CT by 23:59")
    assert (said.text, said.owner, said.doubts) == ("chase CT", Owner(user=sam), ())
    both = read("x by 23:59, Sam Okafor, Therapies")
    assert (both.text, both.owner) == ("x", Owner(sam, care.therapy))
    said = read("Sam, see bed 99 by 23:59")
    assert (said.text, said.owner) == ("see bed 99", Owner(user=sam))
    for line in ("Mrs Okafor to go home by 23:59", "Mrs Okafor, bed 99 home by 23:59"):
        assert not read(line).owner, line
    assert read("Mrs Okafor to go home by 23:59, Sam").owner == Owner(user=sam)
    for line in ("chase CT, echo by 23:59", "x by 23:59, the"):
        said = read(line)
        assert not said.owner.is_known
        assert "Nobody here is called" in said.doubts[0]
    near = read("x by 23:59, Sam Okafro")
    assert "Did you mean Sam Okafor" in near.doubts[0]


def test_a_bed_is_the_one_said_or_none(hospital: Hospital) -> None:
    ward, now = hospital.wards[1], timezone.now()
    add_beds(ward, 10, first=6)  # 7 to 16
    Bed.objects.filter(ward=ward, label="4").delete()
    Ward.objects.filter(pk=ward.pk).update(name="Acute Medical Unit")
    hospital.wards[0].also_known_as.create(
        site=hospital.site, code="KESTREL", name="Kestrel", kind="unrecognised"
    )

    def bed(line: str, spoken_of: Ward | None = None) -> tuple[Bed | None, str]:
        said = understood(f"{line} by 23:59, y", site=hospital.site, at=now, ward=spoken_of)
        return said.bed, " ".join(said.doubts)

    for number in ("4", "0"):
        found, doubt = bed(f"see bed {number}", ward)
        assert found is None
        assert f"No bed {number}" in doubt
    two = hospital.beds(ward)[1]
    for line in ("see AMU bed 2", "see bed 2 on Acute Medical Unit", "see W2 bed 2"):
        assert bed(line)[0] == two, line
    assert bed("see Kestrel bed 2", ward)[0] == hospital.beds(hospital.wards[0])[1]
    assert "no ward 99" in bed("see ward 99 bed 1", ward)[1]
    assert bed("see ward 99 bed 1", ward)[0] is None
    found, doubt = bed("beds 2 and 3 scans", ward)
    assert found is None
    assert "More than one bed" in doubt
    one = hospital.wards[0]
    for line in (
        "move bed 2 to ward 1", "ward 1 to take bed 2", "swap bed 2 with ward 1",
        "send bed 2 to Kestrel", "tell ward 1, bed 2 is ready", "see bed 2, 3",
    ):  # fmt: skip
        found, doubt = bed(line, one)
        assert found is None, line
        assert "is linked" in doubt, line
    assert bed("move bed 2 to ward 1", ward)[0] == two
    with pytest.raises(Refused, match="400"):
        bed("," * 4000)


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
    assert ended_at(state(action)) is None
    do()
    done = state(action)
    when = ended_at(done)
    assert when is not None
    assert before <= when <= timezone.now()
    assert done.outcome == ""
    with pytest.raises(Refused, match="over already"):
        finish(action=action, at=timezone.now(), by=chair)
    assert ended_at(state(action, before)) is None
    if take_back:
        take_back()
        assert ended_at(state(action)) is None


def test_the_same_deed_of_before_does_not_end_it(hospital: Hospital, chair: User) -> None:
    bed = hospital.beds(hospital.wards[1])[0]
    earlier = timezone.now() - HOUR
    bed_states.record_status(
        bed=bed.pk, status="U", occurred_at=earlier, sent_at=earlier, source="test", key="u"
    )
    action = agreed(hospital, chair, about=About(bed=bed, ending=Action.Ending.BED_READY))
    assert ended_at(state(action)) is None


@pytest.mark.parametrize("way", ["mistaken", "replaced"])
def test_only_a_barrier_resolved_is_done(
    hospital: Hospital, care: Care, chair: User, way: str
) -> None:
    stay = first_stay(hospital)
    barrier = care.waits(stay, "transport")
    about = About(hospital.wards[0], stay, barrier=barrier, ending=Action.Ending.BARRIER)
    action = agreed(hospital, chair, about=about)
    said = Said(timezone.now(), chair)
    if way == "mistaken":
        barriers.take_back(barrier=barrier, said=said)
    else:
        barriers.replace(barrier=barrier, reason=code("therapy-review"), said=said)
    assert ended_at(state(action)) is None
    finish(action=action, at=timezone.now(), by=chair)


@pytest.mark.parametrize("made", [_closure, _clean, _move])
def test_a_slip_ends_nothing_and_what_a_deed_ended_is_opened_by_hand(
    hospital: Hospital, care: Care, chair: User, made: Callable[..., Setting]
) -> None:
    about, do, _back = made(hospital, care, chair)
    action = agreed(hospital, chair, about=about)
    do()
    assert ended_at(state(action)) is not None
    now = timezone.now()
    if about.closure is not None:
        bed_states.close(bed=about.closure.bed_id, reason="estates", since=now, by=chair)
    elif about.bed is not None:
        bed_states.record_status(
            bed=about.bed.pk, status="K", occurred_at=now, sent_at=now, source="test", key="again"
        )
    else:
        back = hospital.beds(hospital.wards[0])[0]
        place = Place(back.ward_id, back.bay_id, back.pk)
        assert about.episode is not None
        movements.transfer(episode=about.episode, place=place, at=now, by=chair)
    assert ended_at(state(action)) is None
    assert ended_at(state(action, now + 3 * HOUR)) is None


def test_what_a_deed_ended_is_opened_by_hand(hospital: Hospital, care: Care, chair: User) -> None:
    about, do, _back = _barrier(hospital, care, chair)
    action = agreed(hospital, chair, about=about)
    do()
    browser = signed_in(chair)
    over = f"{PAGE}?whose=site&site=TGH&state=over"
    assert "Open it again" in browser.get(over).content.decode()
    assert send(browser, over, deed="reopen", action=str(action.pk))[0] == 200
    assert ended_at(state(action)) is None
    finish(action=action, at=timezone.now(), by=chair)


# --- what it is about ---------------------------------------------------------------------------


def test_all_that_an_action_is_about_is_of_one_ward(
    hospital: Hospital, care: Care, chair: User
) -> None:
    first, second = hospital.wards
    stay, now = first_stay(hospital), timezone.now()
    barrier = care.waits(stay, "transport")
    made = agreed(hospital, chair, about=About(barrier=barrier))
    assert (made.episode, made.ward) == (stay, first)
    elsewhere = build(code="OTH")
    for about in (
        About(second, stay),
        About(second, barrier=barrier),
        About(first, bed=hospital.beds(second)[0]),
        About(first, bed=elsewhere.beds(elsewhere.wards[0])[0]),
        About(episode=stay, bed=elsewhere.beds(elsewhere.wards[0])[0]),
    ):
        with pytest.raises(Refused, match="ward"):
            agreed(hospital, chair, about=about)
    with pytest.raises(Refused, match="another site"):
        agree(site=elsewhere.site, text="x", owner=Owner(name="y"), due_at=now + HOUR, at=now,
              by=chair, about=About(episode=stay))  # fmt: skip


def test_who_has_moved_is_named_to_who_may_see_them_there(
    hospital: Hospital, chair: User, nurse: User
) -> None:
    first, second = hospital.wards
    stay, now = first_stay(hospital), timezone.now()
    agreed(hospital, chair, f"ask {FAMILY}'s son", about=About(first, stay))
    mine = signed_in(user("first", Role.WARD_NURSE, ward=first))
    page = f"{PAGE}?whose=site"
    assert FAMILY.upper() in mine.get(page).content.decode()
    bed = hospital.beds(second)[5]
    movements.transfer(episode=stay, place=Place(second.pk, bed.bay_id, bed.pk), at=now, by=chair)
    shown = mine.get(page).content.decode()
    assert f"ask {HIDDEN}" in shown
    assert FAMILY.upper() not in shown.upper()
    assert FAMILY.upper() in signed_in(chair).get(f"{page}&site=TGH").content.decode()


def test_who_reads_it_with_gaps_does_not_change_it(
    hospital: Hospital, chair: User, nurse: User
) -> None:
    first, second = hospital.wards
    stay, now = first_stay(hospital), timezone.now()
    text = f"ask {FAMILY}'s son"
    action = agreed(hospital, chair, text, about=About(first, stay))
    mine = signed_in(user("first", Role.WARD_NURSE, ward=first))
    button = 'value="change"'
    assert button in mine.get(f"{PAGE}?whose=site").content.decode()
    bed = hospital.beds(second)[5]
    movements.transfer(episode=stay, place=Place(second.pk, bed.bay_id, bed.pk), at=now, by=chair)
    assert button not in mine.get(f"{PAGE}?whose=site").content.decode()
    status, shown = changed(mine, action, text=f"ask {HIDDEN} son")
    assert status == 422
    assert "may not see the patient whom it is about" in shown
    action.refresh_from_db()
    assert action.text == text
    assert changed(signed_in(chair), action, text=f"ring {FAMILY}'s son")[0] in (200, 302)
    action.refresh_from_db()
    assert action.text == f"ring {FAMILY}'s son"


def test_a_closure_that_ends_tonight_is_open_until_then(hospital: Hospital, chair: User) -> None:
    now = timezone.now()
    bed_states.close(
        bed=hospital.beds(hospital.wards[1])[0].pk, reason="estates", since=now - HOUR,
        until=now + HOUR, by=chair,
    )  # fmt: skip
    about = About(closure=Closure.objects.get(), ending=Action.Ending.REOPENED)
    action = agreed(hospital, chair, about=about)
    assert ended_at(state(action)) is None
    assert ended_at(state(action, now + 2 * HOUR)) is not None


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
    assert ended_at(state(action)) is None
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
    later = timezone.now() + 3 * HOUR
    for other in ({"text": "See bed 2"}, {"due_at": later}):
        with pytest.raises(Refused, match="another action"):
            agreed(hospital, chair, source="api", key="7", **other)
    # What it has become since does not count.
    change(
        action=one, at=timezone.now(), by=chair, text="See bed 3", owner=Owner(name="Jo"),
        due_at=later,
    )  # fmt: skip
    assert agreed(hospital, chair, source="api", key="7") == one


def test_control_characters_are_left_out(hospital: Hospital, chair: User) -> None:
    action = agreed(hospital, chair, "See\0 bed 1", owner=Owner(name="J\0o"))
    assert (action.text, action.owner_name) == ("See bed 1", "J o")
    with pytest.raises(Refused, match="why"):
        drop(action=action, at=timezone.now(), by=chair, note="\0")
    finish(action=action, at=timezone.now(), by=chair, note="seen\0 at ten")
    action.refresh_from_db()
    assert action.over_note == "seen at ten"


# --- said otherwise ---


def changed(browser: Client, action: Action, **said: str) -> tuple[int, str]:
    due = timezone.localtime(action.due_at)
    whole = {
        "deed": "change", "action": str(action.pk), "text": action.text, "seen": version_of(action),
        "owner": "chair", "due_at": f"{due:%Y-%m-%dT%H:%M}",
    } | said  # fmt: skip
    return send(browser, f"{PAGE}?whose=site&site=TGH", **whole)


def test_a_change_loses_nothing(hospital: Hospital, care: Care, chair: User, sam: User) -> None:
    now = timezone.now()
    bed, other = hospital.beds(hospital.wards[0])[:2]
    action = agreed(
        hospital, chair, "See bed 1", owner=Owner(user=sam, team=care.therapy),
        about=About(bed=bed, episode=first_stay(hospital)),
    )  # fmt: skip
    browser = signed_in(chair)
    shown = browser.get(f"{PAGE}?whose=site&site=TGH").content.decode()
    assert 'value="Sam, Therapies"' in shown
    status, shown = changed(browser, action, text="See bed 1 today", owner="Sam, Therapies")
    action.refresh_from_db()
    assert (status, action.owner, action.team) == (200, sam, care.therapy)
    assert (action.bed, action.text) == (bed, "See bed 1 today")
    # What somebody else changed meanwhile is not overwritten, and what was typed is kept.
    status, shown = changed(browser, action, text="Mine", seen="of before")
    assert status == 422
    assert "changed it meanwhile" in shown
    assert 'value="Mine"' in shown
    # Other words, another bed.
    status, shown = changed(browser, action, text="See bed 2", owner="Sam, Therapies")
    action.refresh_from_db()
    assert (status, action.bed) == (200, other)
    assert action.episode == Episode.objects.get(occupancies__bed=other)
    assert "Ward 1, 2 now" in shown
    # A time that is over, down to its seconds, stays.
    Action.objects.filter(pk=action.pk).update(
        agreed_at=now - 2 * HOUR, due_at=(now - HOUR).replace(second=7)
    )
    action.refresh_from_db()
    status, shown = changed(browser, action, text="See bed 2 at once", owner="Sam, Therapies")
    due = action.due_at
    action.refresh_from_db()
    assert (status, action.due_at, action.text) == (200, due, "See bed 2 at once")


def test_words_of_another_bed_do_not_stay_tied_to_what_ends_it(
    hospital: Hospital, care: Care, chair: User
) -> None:
    bed = hospital.beds(hospital.wards[0])[0]
    about = About(bed=bed, episode=first_stay(hospital), ending=Action.Ending.DISCHARGED)
    action = agreed(hospital, chair, "help bed 1 to leave", about=about)
    status, shown = changed(signed_in(chair), action, text="help bed 2 to leave")
    assert status == 422
    assert "not the bed that you name" in shown


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
    assert status == 422
    assert not Action.objects.exists()
    # Their only ward is the one that they speak of.
    line = "see bed 1 by 23:59 tomorrow, y"
    assert send(nurse, deed="agree", line=line, site="OTH")[0] == 200
    action = Action.objects.get()
    assert (action.site, action.bed) == (elsewhere.site, elsewhere.beds(elsewhere.wards[0])[0])


def test_a_form_sent_twice_agrees_once(hospital: Hospital, chair: User) -> None:
    browser, said = signed_in(chair), "see ward 1 bed 1 in 20 min, Sam"
    drawn = browser.get(PAGE).content.decode()
    found = re.search(r'name="once" value="(\w+)"', drawn)
    assert found is not None
    for once, number in ((found[1], 1), (found[1], 1), ("another", 2)):
        send(browser, deed="agree", line=said, site="TGH", once=once)
        assert Action.objects.count() == number
    send(browser, deed="agree", line="another line in 20 min, Sam", site="TGH", once=found[1])
    assert Action.objects.count() == 3


def test_a_form_sent_again_after_its_time_is_known(hospital: Hospital, chair: User) -> None:
    scope, now = scope_of(chair), timezone.localtime().replace(hour=10, minute=0)
    for at in (now, now + 4 * HOUR):
        action, draft = said_in_line(
            "do not move bed 99 before 11:00 today, Jo", site=hospital.site, at=at, by=chair,
            scope=scope, once="7",
        )  # fmt: skip
        assert (action.text, str(draft.owner)) == ("do not move bed 99 before 11:00 today", "Jo")
    assert Action.objects.count() == 1


def test_the_reply_says_what_is_kept_of_the_time(hospital: Hospital, chair: User) -> None:
    line = "hold bed 99 until 23:59 tomorrow, Jo"
    shown = send(signed_in(chair), deed="agree", line=line, site="TGH")[1]
    assert "It is kept as “hold bed 99 until 23:59 tomorrow”." in shown


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
