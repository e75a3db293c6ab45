"""Escalation over REST: where sites and the system stand, and values told by other systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.api_auth import HasScope
from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api.asking_for_beds import key_of, names_people
from flow.api.barriers import done, entry_of
from flow.api.problems import invalid
from flow.api.reading import Reader, answered, filters_of, form_of, now, scope, written
from flow.api.refusing import problem_of
from huddles.escalation import api_shapes as describing
from huddles.escalation.board import hidden_from, sites_seen
from huddles.escalation.standing import Line, Standing, standings
from huddles.escalation.values import latest, tell, withdraw
from huddles.masking import masked
from huddles.models import OpelValue
from wards.models import Site
from wards.scope import ALL


class Escalation(Reader):
    """Where every site in sight stands, and the system."""

    needs = TokenScope.HUDDLES_READ
    known: ClassVar = frozenset({"site"})

    @extend_schema(**describing.ESCALATION)
    def get(self, request: Request) -> HttpResponse:
        """A fixed number of queries."""
        at = now()
        params = self.params(request, now=at)
        codes = filters_of(request, params).sites()
        sites = [one for one in sites_seen(scope(request)) if not codes or one.code in codes]
        if set(codes) - {one.code for one in sites}:
            params.errors.setdefault("site", "Acute hospitals alone have a level.")
        params.check()
        found = standings(sites, at=at)
        shown = [found.sites[site.pk] for site in sites]
        sees_system = scope(request).may_anywhere(Permission.SEE_COUNTS) and not codes
        told = {
            "results": [_site(one) for one in shown],
            "system": _system(found.system) if sees_system else None,
        }
        _hide_names(request, told, shown, at)
        return answered(request, written(form_of(request), told, rows=lambda: _rows(told)))


class Values(Reader):
    """Values told by other systems."""

    needs = TokenScope.HUDDLES_WRITE

    def get_permissions(self) -> Sequence[Any]:
        """Only writing is done here."""
        return [HasScope(TokenScope.HUDDLES_WRITE)()]

    @extend_schema(**describing.TELL)
    def post(self, request: Request) -> HttpResponse:
        """Keep one value."""
        at = now()
        self.params(request, now=at).check()
        said = entry_of(describing.ValueEntry, request)
        site, user = _teller(request, said["site"])
        about = f"{site.pk}:{said['parameter']}"
        value = done(
            lambda: tell(
                site=site,
                parameter=said["parameter"],
                value=said["value"],
                as_at=said["as_at"] or at,
                source=OpelValue.Source.API,
                by=user,
                at=at,
                key=key_of(request, said, "opel_value", about),
            )
        )
        told = _value(value.row)
        response = answered(request, written(form_of(request), told, rows=lambda: [told]))
        response.status_code = HTTPStatus.CREATED if value.is_new else HTTPStatus.OK
        return response


class Withdrawals(Reader):
    """Taking told values back."""

    needs = TokenScope.HUDDLES_WRITE

    def get_permissions(self) -> Sequence[Any]:
        """Only writing is done here."""
        return [HasScope(TokenScope.HUDDLES_WRITE)()]

    @extend_schema(**describing.WITHDRAW)
    def post(self, request: Request) -> HttpResponse:
        """Take back what was told of one parameter."""
        at = now()
        self.params(request, now=at).check()
        said = entry_of(describing.WithdrawalEntry, request)
        site, user = _teller(request, said["site"])
        value = latest([site.pk], at=at).get((site.pk, said["parameter"]))
        if value is None:
            raise problem_of(Refused(_("Nothing that was told of that parameter is left.")))
        row = done(lambda: withdraw(value=value, at=at, by=user))
        kept = _value(value)
        told = {name: kept[name] for name in ("id", "site", "parameter", "value", "as_at")}
        told |= {"withdrawn_at": row.at, "withdrawn_by": str(row.by)}
        return answered(request, written(form_of(request), told, rows=lambda: [told]))


def _teller(request: Request, code: str) -> tuple[Site, User]:
    """The site in sight, and who may tell values of it."""
    site = _site_in_sight(request, code)
    if not scope(request).may_at_site(Permission.RUN_HUDDLES, site.pk):
        raise PermissionDenied("This needs a role that runs the huddles of the site.")
    user = request.user
    assert isinstance(user, User)
    return site, user


def _site_in_sight(request: Request, code: str) -> Site:
    site = Site.objects.filter(code=code).first()
    held = scope(request).sites_in_part(Permission.SEE_COUNTS)
    if site is None or (held != ALL and site.pk not in held):
        raise invalid({"site": "There is no such site, or none in sight."})
    return site


def _level(one: Standing) -> dict[str, Any]:
    rules = one.stored.rules if one.stored else None
    reached, low_high = one.reached, one.levels
    return {
        "site": one.site.code if one.site else None,
        "name": one.site.name if one.site else _("The system"),
        "as_at": one.at,
        "rule_set": rules.code if rules else None,
        "version": rules.version if rules else None,
        "number": one.stored.row.number if one.stored else None,
        "example": bool(rules and rules.example),
        "computed_level": one.level,
        "level_lowest": low_high[0] if low_high else None,
        "level_highest": low_high[1] if low_high else None,
        "score": round(reached.score, 3) if reached else None,
        "lowest": round(reached.lowest, 3) if reached else None,
        "highest": round(reached.highest, 3) if reached else None,
        "certain_level": _certain(one)[0],
        "certain_at": _certain(one)[1],
        "certain_example": _certain(one)[2],
        "declared_level": one.declared.level if one.declared else None,
        "declared_at": one.declared.at if one.declared else None,
        "declared_by": str(one.declared.by) if one.declared else None,
        "declared_reason": one.declared.reason if one.declared else None,
    }


def _certain(one: Standing) -> tuple[int | None, datetime | None, bool]:
    """The level now where it is certain, else the last one that was; when; and whether it comes of
    invented cut-offs, whatever rules hold by now."""
    if one.level is not None:
        return one.level, one.at, one.is_example
    if one.certain is None:
        return None, None, False
    return one.certain.level, one.certain.at, one.certain_is_example


def _site(one: Standing) -> dict[str, Any]:
    return _level(one) | {"parameters": [_parameter(line) for line in one.lines]}


def _system(one: Standing) -> dict[str, Any]:
    shares = [
        {
            "site": share.site.code,
            "share": round(share.share, 6),
            "score": share.result.score,
            "lowest": share.result.lowest,
            "highest": share.result.highest,
        }
        for share in one.shares
    ]
    return _level(one) | {"sites": shares}


def _parameter(line: Line) -> dict[str, Any]:
    scored, told = line.scored, line.told
    return {
        "code": line.parameter.code,
        "name": line.parameter.name,
        "unit": line.parameter.unit,
        "value": told.value if told else None,
        "as_at": told.as_at if told else None,
        "age_minutes": None if scored.age is None else round(scored.age.total_seconds() / 60, 1),
        "stale": scored.stale,
        "source": line.source or None,
        "by": line.by or None,
        "score": scored.score,
        "most": line.parameter.most,
        "cut_offs": line.label.kind,
    }


def _hide_names(
    request: Request, told: dict[str, Any], shown: Sequence[Standing], at: datetime
) -> None:
    """Take names of patients out of reasons that the caller may not read as they were typed."""
    held = scope(request).sites(Permission.SEE_PATIENTS) if names_people(request) else frozenset()
    secret = [
        row
        for row, one in zip(told["results"], shown, strict=True)
        if one.site is not None and held != ALL and one.site.pk not in held
    ]
    if told["system"] is not None and held != ALL:
        secret.append(told["system"])
    hidden = hidden_from(not secret, at)
    for row in secret:
        if row["declared_reason"]:
            row["declared_reason"] = masked(row["declared_reason"], hidden)


def _rows(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As CSV a line for each parameter, with the levels of its site."""
    return [
        {name: value for name, value in site.items() if name != "parameters"}
        | {f"parameter_{name}": value for name, value in one.items()}
        for site in told["results"]
        for one in site["parameters"]
    ]


def _value(row: OpelValue) -> dict[str, Any]:
    row.refresh_from_db()
    return {
        "id": row.pk,
        "site": row.site.code,
        "parameter": row.parameter,
        "value": row.value,
        "as_at": row.as_at,
        "source": row.source,
        "by": str(row.by),
        "recorded_at": row.recorded_at,
    }
