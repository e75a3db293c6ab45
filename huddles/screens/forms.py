"""The forms by which a screen is paired and changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.row_keys import row_key
from huddles.models import Screen, ScreenPage
from huddles.models.screens import EVERY
from huddles.screens.pairing import MOST_PAGES, Look, Page, sees_system
from wards.models import Site, Ward
from wards.scope import Scope

Layout = ScreenPage.Layout
ROWS = range(1, MOST_PAGES + 1)


def places_of(site: Site) -> list[Ward]:
    """The wards that a screen of the site can show, as its pages list them."""
    wards = Ward.objects.filter(site=site, same_as=None).exclude(kind=Ward.Kind.UNRECOGNISED)
    return list(wards.order_by("position", "name", "pk"))


class LookForm(forms.Form):
    """How a screen is called, what it shows for how long, and when it is dark."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=Screen.LONGEST,
        help_text=gettext_lazy("By which people find it, such as “Ward 3, corridor”."),
    )
    theme = forms.ChoiceField(label=gettext_lazy("Light or dark"), choices=Screen.Theme.choices)
    dark_from = forms.IntegerField(
        label=gettext_lazy("Dark from (hour)"), min_value=0, max_value=23
    )
    dark_until = forms.IntegerField(
        label=gettext_lazy("Dark until (hour)"), min_value=0, max_value=23
    )

    def __init__(
        self, data: Any = None, *, site: Site, scope: Scope, screen: Screen | None = None
    ) -> None:
        self._wards = {ward.pk: ward for ward in places_of(site)}
        super().__init__(data, initial=self._known(screen), auto_id="screen-%s")
        stands = screen is not None and any(
            page.layout == Layout.SYSTEM for page in screen.pages.all()
        )
        choices = self._choices(system=stands or sees_system(scope))
        for number in ROWS:
            self.fields[f"show_{number}"] = forms.ChoiceField(
                label=_("Page %(number)d") % {"number": number}, choices=choices, required=False
            )
            self.fields[f"seconds_{number}"] = forms.IntegerField(
                label=_("Seconds of page %(number)d") % {"number": number},
                required=False,
                min_value=EVERY[0],
                max_value=EVERY[1],
            )
        self.fields["show_1"].required = True
        for field in self.fields.values():
            self._dress(field)

    def _known(self, screen: Screen | None) -> dict[str, object]:
        known: dict[str, object] = {f"seconds_{number}": 30 for number in ROWS}
        if screen is None:
            known |= {"theme": Screen.Theme.BY_HOUR, "dark_from": 20, "dark_until": 7}
            return known | {"show_1": Layout.SITE.value}
        for name in ("name", "theme", "dark_from", "dark_until"):
            known[name] = getattr(screen, name)
        for page in screen.pages.all():
            key = f"{page.layout}:{page.ward_id}" if page.ward_id else page.layout
            known |= {f"show_{page.position}": key, f"seconds_{page.position}": page.seconds}
        return known

    def _choices(self, *, system: bool) -> list[tuple[str, object]]:
        wards = self._wards.values()
        whole = [Layout.SITE, Layout.HUDDLE, Layout.CLEANING]
        if system:
            whole.insert(0, Layout.SYSTEM)
        lounges = [ward for ward in wards if ward.kind == Ward.Kind.DISCHARGE_LOUNGE]
        others = [ward for ward in wards if ward.kind != Ward.Kind.DISCHARGE_LOUNGE]
        found: list[tuple[str, object]] = [("", _("Nothing"))]
        found += [(layout.value, layout.label) for layout in whole]
        for layout, listed in ((Layout.LOUNGE, lounges), (Layout.WARD, others)):
            if listed:
                keys = [(f"{layout.value}:{ward.pk}", ward.name) for ward in listed]
                found.append((str(layout.label), keys))
        return found

    def _dress(self, field: forms.Field) -> None:
        if isinstance(field, forms.ChoiceField):
            field.widget.attrs["class"] = "nhsuk-select"
            return
        narrow = isinstance(field, forms.IntegerField)
        field.widget = forms.TextInput()
        field.widget.attrs |= {
            "class": "nhsuk-input" + (" nhsuk-input--width-4" if narrow else ""),
            "autocomplete": "off",
        }
        if narrow:
            field.widget.attrs["inputmode"] = "numeric"

    def clean(self) -> dict[str, Any]:
        """By the hour, it must be dark for some hours and light for others."""
        told = super().clean() or {}
        by_hour = told.get("theme") == Screen.Theme.BY_HOUR
        if by_hour and told.get("dark_from") == told.get("dark_until"):
            self.add_error("dark_until", _("Choose another hour than the one it is dark from."))
        return told

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """What to show and for how long, page by page."""
        return [(self[f"show_{number}"], self[f"seconds_{number}"]) for number in ROWS]

    @property
    def look(self) -> Look:
        """What was said."""
        told = self.cleaned_data
        return Look(told["name"].strip(), told["theme"], told["dark_from"], told["dark_until"])

    @property
    def pages(self) -> Sequence[Page]:
        """The pages that were chosen, those left empty passed over."""
        found = []
        for number in ROWS:
            layout, _colon, key = self.cleaned_data.get(f"show_{number}", "").partition(":")
            if layout:
                seconds = self.cleaned_data.get(f"seconds_{number}") or 30
                found.append(Page(layout, self._wards.get(row_key(key) or 0), seconds))
        return found


class PairForm(LookForm):
    """The code of a screen that waits, where it hangs, and what it is to show."""

    code = forms.CharField(
        label=gettext_lazy("Code on the screen"),
        max_length=20,
        help_text=gettext_lazy("The six characters that it shows at /screen/."),
    )
    zone = forms.ChoiceField(
        label=gettext_lazy("Who passes by"),
        choices=Screen.Zone.choices,
        help_text=gettext_lazy(
            "Public: counts only. Staff: beds and what is next, too. Closed room: initials, too."
        ),
    )
    field_order = ("code", "name", "zone")
