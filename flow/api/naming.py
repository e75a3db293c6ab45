"""From what a body of a request names to the thing itself; what is not there is a 400 problem."""

from __future__ import annotations

from typing import TypeVar

from accounts.models import Organisation, Team
from flow.api.problems import invalid
from patients.models import Code
from wards.models import Ward

T = TypeVar("T")


def reason_named(slug: str, *, kind: str, code_set: str = "", field: str = "reason") -> Code:
    """The code of a kind of set; of several versions the newest, unless a set is named."""
    codes = Code.objects.select_related("code_set").filter(slug=slug, code_set__kind=kind)
    if code_set:
        codes = codes.filter(code_set__slug=code_set)
    found = codes.order_by("-code_set__valid_from").first()
    if found is None:
        raise invalid({field: f"There is no reason “{slug}”; /api/v1/reasons/ lists them."})
    return found


def organisation_named(code: str) -> Organisation | None:
    """The organisation of the code; None where none was named."""
    if not code:
        return None
    found = Organisation.objects.filter(code=code).first()
    if found is None:
        raise invalid({"organisation": f"There is no organisation {code}."})
    return found


def team_named(code: str, organisation: str) -> Team | None:
    """The team of the code, of the organisation if one is named; None where none was named."""
    if not code:
        return None
    teams = Team.objects.filter(code=code)
    if organisation:
        teams = teams.filter(organisation__code=organisation)
    return _only(list(teams[:2]), "team", code, "organisation")


def ward_named_in_body(code: str, site: str) -> Ward | None:
    """The ward of the code, at the site if one is named; None where none was named."""
    if not code:
        return None
    wards = Ward.objects.select_related("site__organisation").filter(code=code, same_as=None)
    if site:
        wards = wards.filter(site__code=site)
    return _only(list(wards[:2]), "ward", code, "site")


def _only(found: list[T], field: str, code: str, above: str) -> T:
    if not found:
        raise invalid({field: f"There is no {field} {code}."})
    if len(found) > 1:
        raise invalid({field: f"Several {above}s have a {field} {code}; name the {above} as well."})
    return found[0]
