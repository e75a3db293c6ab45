"""What the views of the desk share: a request in sight, places named in a body, and keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, ClassVar, Final
from uuid import uuid4

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.api_auth import HasScope
from accounts.models import ApiToken, User
from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api.entries_desk import MOST
from flow.api.problems import invalid, missing
from flow.api.reading import Reader, now, scope
from flow.board_types import Sight
from flow.desk.queue import one_need
from flow.desk.rights import is_in_sight
from flow.desk.types import Need
from patients.keys import Details, PersonKey
from wards.barriers import Said
from wards.models import Bed, BedRequest, Ward
from wards.scope import Scope

_DETAILS: Final = ("nhs_number", "family_name", "given_name", "date_of_birth", "sex")
_INSTANT: Final = timedelta(microseconds=1)


class Desk(Reader):
    """A view of who needs a bed: reading and writing ask for different scopes of a token."""

    needs: ClassVar = TokenScope.BEDS_READ

    def get_permissions(self) -> Sequence[Any]:
        """Reading and writing ask for different scopes of a token."""
        if self.request.method in ("GET", "HEAD", "OPTIONS"):
            return super().get_permissions()
        return [HasScope(TokenScope.BEDS_WRITE)()]


def names_people(request: Request) -> bool:
    """Whether the answer may name patients: to people, and to tokens made for reading episodes."""
    token = request.auth
    return not isinstance(token, ApiToken) or TokenScope.EPISODES_READ in token.scopes


def said_now(request: Request, occurred_at: datetime | None = None) -> Said:
    """The caller, now, of the time it happened: like everything that names a stay and not a feed's
    number of it, by hand."""
    user = request.user
    assert isinstance(user, User)
    return Said(now(), user, occurred_at)


def key_of(request: Request, said: Mapping[str, Any], deed: str, about: object) -> str:
    """A key for what this caller says of this patient: made from theirs, so that two callers who
    number alike do not meet; a new one where they gave none. 40 characters."""
    given = said["key"]
    if not given:
        return uuid4().hex
    user = request.user
    assert isinstance(user, User)
    parts = "\n".join((str(user.pk), deed, str(about), given))
    return blake2b(parts.encode(), digest_size=20).hexdigest()


def record_of(person: Mapping[str, Any], ward: Ward) -> PersonKey | None:
    """The record under the hospital number that was said, at the organisation of the ward; give
    it with site and organisation fetched. None where no number was said."""
    number = person["hospital_number"]
    return PersonKey(ward.site.organisation.code, number) if number else None


def details_of(person: Mapping[str, Any]) -> Details:
    """What was said of a person; what was left empty was not said."""
    return Details({name: person[name] for name in _DETAILS if person[name]})


def need_in_sight(request: Request, key: int) -> tuple[Need, BedRequest]:
    """A request as it stands, or as it last stood where it is over. Raises a 404 problem for one
    that the caller may not see."""
    row = BedRequest.objects.select_related("episode__patient").filter(pk=min(key, MOST)).first()
    need = None
    if row is not None and row.kind != BedRequest.Kind.DISCHARGE:
        at = max(now(), row.period.lower)
        if row.period.upper is not None and row.period.upper <= at:
            at = max(row.period.lower, row.period.upper - _INSTANT)
        need = one_need(row.pk, at=at, sight=Sight.of(scope(request)))
    if row is None or need is None or not is_in_sight(need, Sight.of(scope(request))):
        raise missing("bed request of this key")
    return need, row


def seen_by_name(need: Need) -> None:
    """Raises a 403 problem where the caller may not see whose request it is: which bed suits, and
    why not, tells of the patient."""
    if not need.may_see:
        raise PermissionDenied("This needs a role that may see the patient who waits.")


def places_of(need: Need) -> list[int]:
    """The wards that a request is about: where the patient is, and the one asked."""
    return [place.id for place in (need.origin, need.target) if place is not None]


def ward_to_ask(code: str, site: str, *, seen: Scope, near: int | None) -> Ward | None:
    """The ward of the code, at the site if one is named; None where none was named.

    Only wards in sight are there, and those of the site `near` which the patient is. Raises a 400
    problem for any other.
    """
    if not code:
        if site:
            raise invalid({"site": "Name the ward as well; of a site alone no bed can be asked."})
        return None
    rows = Ward.objects.select_related("site__organisation").filter(code=code, same_as=None)
    rows = rows.exclude(kind=Ward.Kind.UNRECOGNISED)
    if site:
        rows = rows.filter(site__code=site)
    found = [
        ward for ward in rows if ward.site_id == near or seen.may(Permission.SEE_COUNTS, ward.pk)
    ]
    if not found:
        raise invalid({"ward": f"There is no ward {code} that you may see."})
    if len(found) > 1:
        raise invalid({"ward": f"Several sites have a ward {code}; name the site as well."})
    return found[0]


def bed_named(key: int, *, seen: Scope) -> Bed:
    """The bed of the key, with its ward. Raises a 400 problem for one that is not in sight."""
    rows = Bed.objects.select_related("ward__site__organisation").filter(pk=key, same_as=None)
    found = rows.first()
    if found is None or not seen.may(Permission.SEE_COUNTS, found.ward_id):
        raise invalid({"bed": f"There is no bed of the key {key} that you may see."})
    return found
