"""The forms of the people pages: whom to add, which role where, which token."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import dress
from accounts.models import Organisation, Team, User
from accounts.roles import LABELS
from accounts.tokens import SCOPE_LABELS
from wards.grants import PEOPLE
from wards.models import Site, Ward
from wards.scope import ALL, Scope

EVERYWHERE: Final = "everywhere"


class PlacesOffered:
    """The places at which somebody with a scope may give roles, for a choice; four queries."""

    def __init__(self, scope: Scope) -> None:
        self.found: dict[str, dict[str, Any]] = {}
        self.choices: list[tuple[str, str | list[tuple[str, str]]]] = [("", "Choose a place")]
        if scope.may_everywhere(PEOPLE):
            self.found[EVERYWHERE] = {"everywhere": True}
            self.choices.append((EVERYWHERE, "Everywhere"))
        self._add_whole(scope)
        self._add_teams(scope)
        self._add_wards(scope)

    def _add_whole(self, scope: Scope) -> None:
        organisations, sites = Organisation.objects.all(), Site.objects.all()
        allowed = scope.organisations(PEOPLE)
        if allowed != ALL:
            organisations = organisations.filter(pk__in=allowed)
        allowed = scope.sites(PEOPLE)
        if allowed != ALL:
            sites = sites.filter(pk__in=allowed)
        for title, kind, rows in (
            ("Organisations and all below", "organisation", organisations),
            ("Whole sites", "site", sites),
        ):
            group = [(self._know(kind, row), row.name) for row in rows]
            if group:
                self.choices.append((title, group))

    def _add_teams(self, scope: Scope) -> None:
        teams = Team.objects.select_related("organisation")
        allowed = scope.organisations(PEOPLE)
        if allowed != ALL:
            teams = teams.filter(organisation__in=allowed)
        groups: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for team in teams.order_by("organisation__name", "name"):
            title = f"Teams of {team.organisation.name}"
            groups[title].append((self._know("team", team), team.name))
        self.choices.extend(groups.items())

    def _add_wards(self, scope: Scope) -> None:
        wards = Ward.objects.filter(same_as=None).select_related("site")
        allowed = scope.wards(PEOPLE)
        if allowed != ALL:
            wards = wards.filter(pk__in=allowed)
        groups: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for ward in wards.order_by("site__position", "site__name", "position", "name"):
            label = ward.name if ward.name == ward.code else f"{ward.name} ({ward.code})"
            groups[f"Wards of {ward.site.name}"].append((self._know("ward", ward), label))
        self.choices.extend(groups.items())

    def _know(self, kind: str, row: Organisation | Site | Ward | Team) -> str:
        value = f"{kind}:{row.pk}"
        self.found[value] = {kind: row}
        return value


class GrantForm(forms.Form):
    """A role at a place."""

    role = forms.ChoiceField(
        label=_("Role"), choices=[("", "Choose a role"), *((r.value, LABELS[r]) for r in LABELS)]
    )
    place = forms.ChoiceField(
        label=_("Where"), help_text=_("The role holds there and at everything below.")
    )

    def __init__(self, *args: Any, places: PlacesOffered, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places
        place = self.fields["place"]
        assert isinstance(place, forms.ChoiceField)
        place.choices = places.choices
        dress(self)

    def chosen_place(self) -> dict[str, Any]:
        """The place, as `wards.grants.set_grant` takes it."""
        return self.places.found[self.cleaned_data["place"]]


class PersonForm(forms.Form):
    """Who somebody is."""

    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("Email address"), max_length=254, required=False)
    organisation = forms.ModelChoiceField(
        label=_("Employer"),
        queryset=Organisation.objects.all(),
        required=False,
        empty_label=_("Not stated"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class NewPersonForm(GrantForm, PersonForm):
    """Somebody new, with a first role: an account without one could see nothing."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        help_text=_("What they sign in with. Letters, digits and @ . + - _ only."),
    )
    field_order = ("username", "first_name", "last_name", "email", "organisation", "role", "place")


if TYPE_CHECKING:
    UserField = forms.ModelChoiceField[User]  # generic for the type checker alone
else:
    UserField = forms.ModelChoiceField


class AccountField(UserField):
    """An account, by username and name."""

    def label_from_instance(self, obj: Any) -> str:
        """`n.hale – Robin Hale`."""
        return f"{obj.username} – {obj}"


LIFETIMES: Final = {"30": 30, "90": 90, "365": 365, "never": None}


class TokenForm(forms.Form):
    """A token for a program."""

    user = AccountField(
        label=_("Account"),
        queryset=User.objects.none(),
        help_text=_("The token sees what this account may see. Give programs their own account."),
        empty_label=_("Choose an account"),
    )
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Which program uses it, and whose it is.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[(scope.value, label) for scope, label in SCOPE_LABELS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    lifetime = forms.ChoiceField(
        label=_("Works for"),
        choices=[
            ("30", _("30 days")), ("90", _("90 days")), ("365", _("a year")),
            ("never", _("until it is revoked")),
        ],
        initial="90",
    )  # fmt: skip

    def __init__(self, *args: Any, users: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["user"]
        assert isinstance(field, AccountField)
        field.queryset = User.objects.filter(pk__in=[u.pk for u in users]).order_by("username")
        dress(self)

    def expires_at(self, now: datetime) -> datetime | None:
        """When the token ends; None for never."""
        days = LIFETIMES[self.cleaned_data["lifetime"]]
        return None if days is None else now + timedelta(days=days)
