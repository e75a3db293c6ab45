"""What was agreed, over REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.api_auth import HasScope
from accounts.models import User
from accounts.roles import Permission
from accounts.row_keys import storable
from accounts.tokens import TokenScope
from flow.api.asking_for_beds import bed_named, names_people
from flow.api.barriers import done, entry_of, episode_in_sight
from flow.api.finding import ward_named
from flow.api.params import Params, cursor_of
from flow.api.problems import invalid, missing
from flow.api.reading import Reader, answered, form_of, now, scope, sight, written
from huddles.actions.agreeing import (
    About,
    agree,
    check_same,
    drop,
    finish,
    reopen,
    said_before,
    settled,
)
from huddles.actions.reading import LATELY, MOST, Row, seen_by, shown, with_all
from huddles.actions.rights import may_agree, may_end, only_ward
from huddles.actions.states import with_states
from huddles.actions.understanding import Draft, owner_named, understood
from huddles.api import describing
from huddles.api.entries import AgreeEntry, DropEntry, EndEntry
from huddles.models import Action
from patients.models import Barrier
from wards.models import Bed, Closure, Site, Ward
from wards.scope import ALL


class Huddles(Reader):
    """A view of huddles: reading and writing ask for different scopes of a token."""

    needs: ClassVar = TokenScope.HUDDLES_READ

    def get_permissions(self) -> Sequence[Any]:
        """Reading and writing ask for different scopes of a token."""
        if self.request.method in ("GET", "HEAD", "OPTIONS"):
            return super().get_permissions()
        return [HasScope(TokenScope.HUDDLES_WRITE)()]


class Actions(Huddles):
    """The actions that the caller may read."""

    known: ClassVar = frozenset({"site", "status", "limit", "cursor"})

    @extend_schema(**describing.ACTIONS)
    def get(self, request: Request) -> HttpResponse:
        """Open ones unless `status` says otherwise."""
        at = now()
        params = self.params(request, now=at)
        code, status = params.text("site"), params.text("status") or "open"
        if status not in describing.STATUSES:
            params.errors["status"] = f"Give one of {', '.join(describing.STATUSES)}."
        site = site_asked(params, code, request) if code else None
        limit, place = params.number("limit", default=MOST, most=MOST), params.place()
        params.check()
        rows = Action.objects.filter(seen_by(_caller(request), scope(request)))
        if site is not None:
            rows = rows.filter(site=site)
        tests = {
            "open": Q(ended_at__isnull=True),
            "overdue": Q(ended_at__isnull=True, due_at__lt=at),
            "over": Q(ended_at__gte=at - LATELY),
            "all": Q(),
        }
        if place is not None:
            due, key = place
            rows = rows.filter(Q(due_at__gt=due) | Q(due_at=due, pk__gt=key))
        wanted = with_all(with_states(rows, at=at).filter(tests[status]))
        found = list(wanted.order_by("due_at", "pk")[: limit + 1])
        last = found[limit - 1] if len(found) > limit else None
        results = _told(request, found[:limit])
        return paged(request, results, [last.due_at.isoformat(), last.pk] if last else None, at=at)

    @extend_schema(**describing.AGREE)
    def post(self, request: Request) -> HttpResponse:
        """Agree one."""
        said = entry_of(AgreeEntry, request)
        at, by = now(), _caller(request)
        site = _site_named(said["site"], request)
        key = _key(by, said["key"])
        if (known := said_before(source="api", key=key)) is not None:
            return _again(request, known, said, site)
        draft, about = _about(request, said, site, at=at)
        about = done(lambda: settled(about, site=site, at=at))
        if not may_agree(scope(request), site.pk, about.ward.pk if about.ward else None):
            raise PermissionDenied(
                "This needs a role that runs huddles or cares for patients there."
            )
        if draft.due_at is None:
            raise invalid({"due_at": draft.unclear or "Give the time by which it is to be done."})
        if not draft.owner:
            raise invalid({"owner": "Say who does it."})
        due_at = draft.due_at
        action = done(
            lambda: agree(
                site=site,
                text=draft.text,
                owner=draft.owner,
                due_at=due_at,
                at=at,
                by=by,
                about=about,
                source="api",
                key=key,
            )
        )
        response = _one(request, action.pk, doubts=draft.doubts)
        response.status_code = HTTPStatus.CREATED
        return response


class OneAction(Huddles):
    """One action."""

    @extend_schema(**describing.ACTION)
    def get(self, request: Request, key: int) -> HttpResponse:
        """What, who, by when, and what became of it."""
        self.params(request, now=now())
        return _one(request, key)


class _Deed(Huddles):
    """Something that becomes of an action."""

    def _mine(self, request: Request, key: int) -> Action:
        found = _rows(request, key).first()
        if found is None:
            raise missing("action of this key")
        action: Action = found
        if not may_end(action, _caller(request), scope(request)):
            raise PermissionDenied("That is for its owner to say, or for who runs the huddle.")
        return action


class Done(_Deed):
    """It is done."""

    @extend_schema(**describing.DONE)
    def post(self, request: Request, key: int) -> HttpResponse:
        """Say so, with a word of how."""
        said = entry_of(EndEntry, request)
        action = self._mine(request, key)
        done(lambda: finish(action=action, at=now(), by=_caller(request), note=said["note"]))
        return _one(request, key)


class Drop(_Deed):
    """It is not needed any more."""

    @extend_schema(**describing.DROP)
    def post(self, request: Request, key: int) -> HttpResponse:
        """Say so, and why."""
        said = entry_of(DropEntry, request)
        action = self._mine(request, key)
        done(lambda: drop(action=action, at=now(), by=_caller(request), note=said["note"]))
        return _one(request, key)


class Reopen(_Deed):
    """It is open after all."""

    @extend_schema(**describing.REOPEN)
    def post(self, request: Request, key: int) -> HttpResponse:
        """Take back what was said."""
        entry_of(EndEntry, request)
        action = self._mine(request, key)
        done(lambda: reopen(action=action, at=now(), by=_caller(request)))
        return _one(request, key)


def _caller(request: Request) -> User:
    user = request.user
    assert isinstance(user, User)
    return user


def _key(by: User, given: str) -> str:
    """A key for what this caller says: two callers who number alike do not meet."""
    if not given:
        return ""
    return blake2b(f"{by.pk}\nagree\n{given}".encode(), digest_size=20).hexdigest()


def _site_named(code: str, request: Request) -> Site:
    found = _in_sight(code, request)
    if found is None:
        raise invalid({"site": f"There is no site {code} that you may see."})
    return found


def site_asked(params: Params, code: str, request: Request) -> Site | None:
    """The site of the code where the caller sees something of it; None and an error of the
    parameter where not."""
    found = _in_sight(code, request)
    if found is None:
        params.errors["site"] = f"There is no site {code} that you may see."
    return found


def _in_sight(code: str, request: Request) -> Site | None:
    held = scope(request).sites_in_part(Permission.SEE_COUNTS)
    rows = Site.objects.select_related("organisation").filter(code=code)
    return rows.first() if held == ALL else rows.filter(pk__in=held).first()


def _again(request: Request, known: Action, said: Mapping[str, Any], site: Site) -> HttpResponse:
    """What the same key had made, if the body says what it did then: read as of that time."""
    draft, _ward = _read(request, said, site, at=known.agreed_at)
    done(lambda: check_same(known, site=site, text=draft.text, due_at=draft.due_at))
    response = _one(request, known.pk, doubts=draft.doubts)
    response.status_code = HTTPStatus.CREATED
    return response


def _read(
    request: Request, said: Mapping[str, Any], site: Site, *, at: datetime
) -> tuple[Draft, Ward | None]:
    """What the body says, its line understood where it names no owner or time of its own; and the
    ward that it names."""
    ward = None
    if said["ward"]:
        key = ward_named(said["ward"], site=site.code, sight=sight(request))
        ward = Ward.objects.get(pk=key)
    owner, doubts = owner_named(said["owner"], site)
    if owner and said["due_at"]:
        draft = Draft(said["text"], owner, said["due_at"], ward, doubts=doubts)
    else:
        own = only_ward(scope(request), site.pk)
        spoken_of = ward or (Ward.objects.get(pk=own) if own else None)
        read = understood(said["text"], site=site, at=at, ward=spoken_of)
        draft = replace(
            read,
            owner=owner or read.owner,
            due_at=said["due_at"] or read.due_at,
            doubts=(*doubts, *read.doubts),
        )
    return draft, ward


def _about(
    request: Request, said: Mapping[str, Any], site: Site, *, at: datetime
) -> tuple[Draft, About]:
    """What the body says, and what it is about."""
    draft, ward = _read(request, said, site, at=at)
    # What the body names itself counts, not what its words may mean beside it.
    by_key = any(said[name] for name in ("bed", "episode", "barrier", "closure"))
    bed = None if by_key else draft.bed
    if said["bed"]:
        bed = _bed(said["bed"], request)
    episode = said["episode"] or (None if by_key else draft.episode)
    about = About(
        ward=ward or (None if by_key else draft.ward),
        episode=episode_in_sight(request, storable(episode) or 0) if episode else None,
        barrier=_barrier(said["barrier"], request),
        closure=_closure(said["closure"], site),
        bed=bed,
        ending=said["ending"],
    )
    needed = {
        Action.Ending.BARRIER: ("barrier", about.barrier),
        Action.Ending.REOPENED: ("closure", about.closure),
        Action.Ending.DISCHARGED: ("episode", about.episode),
        Action.Ending.MOVED: ("episode", about.episode),
        Action.Ending.BED_READY: ("bed", about.bed),
        Action.Ending.BED_OPENED: ("bed", about.bed),
    }
    name, thing = needed.get(said["ending"], ("", True))
    if thing is None:
        raise invalid({name: "Name it: the action is over when this is."})
    return draft, about


def _bed(key: int, request: Request) -> Bed:
    if storable(key) != key:
        raise invalid({"bed": f"There is no bed of the key {key} that you may see."})
    return bed_named(key, seen=scope(request))


def _barrier(key: int | None, request: Request) -> Barrier | None:
    if not key:
        return None
    found = (
        Barrier.objects.select_related("episode").filter(pk=storable(key) or 0, outcome="").first()
    )
    if found is None:
        raise invalid({"barrier": "There is no open barrier of this key that you may see."})
    episode_in_sight(request, found.episode_id)
    return found


def _closure(key: int | None, site: Site) -> Closure | None:
    if not key:
        return None
    rows = Closure.objects.select_related("ward").filter(ward__site=site)
    found = rows.filter(pk=storable(key) or 0).first()
    if found is None:
        raise invalid({"closure": "There is no closure of this key at the site."})
    return found


def paged(
    request: Request, results: Sequence[Any], last: list[Any] | None, *, at: datetime
) -> HttpResponse:
    """A page of a list; the next, where there is one after `last`, is named in the body, and by a
    Link header."""
    following = None
    if last is not None:
        query = request.query_params.copy()
        query["cursor"] = cursor_of(last)
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    told = {"as_at": at, "results": results, "next": following}
    linked = {"Link": f'<{following}>; rel="next"'} if following else None
    return answered(request, written(form_of(request), told), headers=linked)


def _rows(request: Request, key: int) -> Any:
    fits = seen_by(_caller(request), scope(request))
    rows = Action.objects.filter(fits, pk=storable(key) or 0).distinct()
    return with_all(with_states(rows, at=now()))


def _one(request: Request, key: int, *, doubts: Sequence[str] | None = None) -> HttpResponse:
    found = _rows(request, key).first()
    if found is None:
        raise missing("action of this key")
    told = _told(request, [found])[0]
    if doubts is not None:
        told |= {"doubts": list(doubts)}
    return answered(request, written(form_of(request), told, rows=lambda: [told]))


def _told(request: Request, found: Sequence[Any]) -> list[dict[str, Any]]:
    seen = scope(request)
    named = names_people(request)
    return [
        _as_json(row) for row in shown(found, _caller(request), seen, at=now(), named=named)
    ]  # fmt: skip


def _as_json(row: Row) -> dict[str, Any]:
    one = row.action
    status = one.outcome or ("done" if row.by_deed else "overdue" if row.late else "open")
    return {
        "id": one.pk,
        "site": one.site.code,
        "ward": one.ward.code if one.ward else None,
        "bed": one.bed_id,
        "bed_label": one.bed.label if one.bed else None,
        "episode": one.episode_id if row.sees else None,
        "barrier": one.barrier_id if row.sees else None,
        "closure": one.closure_id,
        "text": row.text,
        "owner": str(one.owner) if one.owner else row.owner_name or None,
        "owner_username": one.owner.username if one.owner else None,
        "team": one.team.code if one.team else None,
        "team_name": one.team.name if one.team else None,
        "due_at": one.due_at,
        "status": status,
        "ending": row.ending or None,
        "ended_at": row.ended_at,
        "ended_by_deed": row.by_deed,
        "ended_by": str(one.over_by) if one.over_by else None,
        "note": row.note or None,
        "agreed_at": one.agreed_at,
        "agreed_by": str(one.by),
    }
