"""Reading a places file in YAML.

The file is walked as a tree of nodes (`wards.yaml_trees`): `07` stays a label, and `no` a word.
"""

from __future__ import annotations

from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from wards import place_values as values
from wards.place_entries import (
    BayEntry,
    BedEntry,
    Entries,
    OrganisationEntry,
    RungEntry,
    SiteEntry,
    TeamEntry,
    WardEntry,
)
from wards.place_nodes import Fields, line_of, named
from wards.yaml_trees import compose


def read_yaml(text: str) -> Entries:
    """What the text says; mistakes are in the result, and reading goes on after each."""
    entries = Entries()
    root = compose(text, entries, empty="is empty; it needs a list called sites.")
    if root is not None:
        _Reader(entries).file(root)
    return entries


@dataclass(slots=True)
class _Defaults:
    """What a ward or bay says of all its beds."""

    kind: str | None = None
    funding: str | None = None
    features: tuple[str, ...] | None = None

    def over(self, wider: _Defaults) -> _Defaults:
        """These, and where they are silent, the wider ones."""
        return _Defaults(
            wider.kind if self.kind is None else self.kind,
            wider.funding if self.funding is None else self.funding,
            wider.features if self.features is None else self.features,
        )


class _Reader:
    """Walks the file from the top down and gathers its entries."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries

    def file(self, root: Node) -> None:
        fields = Fields(self.entries, root, "", ("organisations", "teams", "sites"))
        for node in fields.items("organisations"):
            self.organisation(node)
        for node in fields.items("teams"):
            self.team(node)
        for position, node in enumerate(fields.items("sites")):
            self.site(node, position)

    def organisation(self, node: Node) -> None:
        path = named("organisation", node)
        known = ("code", "name", "kind", "parent", "escalation")
        fields = Fields(self.entries, node, path, known)
        code = fields.needed("code", "organisation code")
        entry = OrganisationEntry(
            line=fields.line,
            code=code or "",
            name=fields.needed("name", "name"),
            kind=fields.choice("kind", values.ORGANISATION_KINDS),
            parent=fields.text("parent", "organisation code"),
            escalation=self.ladder(fields, code or "") if "escalation" in fields.nodes else None,
        )
        if code:
            self.entries.organisations.append(entry)

    def ladder(self, above: Fields, organisation: str) -> tuple[RungEntry, ...]:
        """The steps of an escalation ladder, from the first up; each waits longer than the last."""
        rungs: list[RungEntry] = []
        for level, node in enumerate(above.items("escalation"), start=1):
            path = f"{above.path}, escalation step {level}"
            fields = Fields(self.entries, node, path, ("after_hours", "title"))
            hours = fields.parsed("after_hours", values.number_of_hours)
            title = fields.needed("title", "title")
            if fields.are_fields and "after_hours" not in fields.nodes:
                self.entries.wrong(fields.line, path, "after_hours is missing; give the hours.")
            if hours is None or title is None:
                continue
            if rungs and hours <= rungs[-1].after_hours:
                self.entries.wrong(
                    fields.line, path, "does not wait longer than the step before it; put in order."
                )
            rungs.append(
                RungEntry(
                    line=fields.line,
                    organisation=organisation,
                    level=level,
                    after_hours=hours,
                    title=title,
                )
            )
        return tuple(rungs)

    def team(self, node: Node) -> None:
        known = ("organisation", "code", "name", "kind")
        fields = Fields(self.entries, node, named("team", node), known)
        organisation = fields.needed("organisation", "organisation code")
        code = fields.needed("code", "team code")
        name = fields.needed("name", "name")
        if organisation and code:
            self.entries.teams.append(
                TeamEntry(
                    line=fields.line,
                    organisation=organisation,
                    code=code,
                    name=name,
                    kind=fields.text("kind", "team kind"),
                )
            )

    def site(self, node: Node, position: int) -> None:
        known = ("code", "name", "kind", "organisation", "wards")
        fields = Fields(self.entries, node, named("site", node), known)
        code = fields.needed("code", "site code")
        entry = SiteEntry(
            line=fields.line,
            code=code or "",
            position=position,
            name=fields.needed("name", "name"),
            kind=fields.choice("kind", values.SITE_KINDS),
            organisation=fields.needed("organisation", "organisation code"),
        )
        if code:
            self.entries.sites.append(entry)
        for place, ward in enumerate(fields.items("wards")):
            self.ward(ward, place, code or "")

    def ward(self, node: Node, position: int, site: str) -> None:
        known = (
            "code", "name", "kind", "specialty", "sex", "bays", "beds", "bed_kind", "funding",
            "features",
        )  # fmt: skip
        fields = Fields(self.entries, node, named(f"site {site}, ward", node), known)
        code = fields.needed("code", "ward code")
        entry = WardEntry(
            line=fields.line,
            site=site,
            code=code or "",
            position=position,
            name=fields.needed("name", "name"),
            kind=fields.choice("kind", values.WARD_KINDS),
            specialty=fields.text("specialty", "specialty"),
            sex=fields.choice("sex", values.SEXES),
        )
        usual = _Defaults(
            fields.choice("bed_kind", values.BED_KINDS),
            fields.choice("funding", values.FUNDINGS),
            fields.words("features", values.FEATURES),
        )
        if site and code:
            self.entries.wards.append(entry)
        beds = _Beds(self.entries, site, code or "", fields.path)
        for place, bay in enumerate(fields.items("bays")):
            self.bay(bay, place, beds, usual)
        if "beds" in fields.nodes:
            beds.read(fields, "", usual)

    def bay(self, node: Node, position: int, beds: _Beds, usual: _Defaults) -> None:
        known = ("code", "name", "sex", "beds", "kind", "funding", "features")
        fields = Fields(self.entries, node, named(f"{beds.path}, bay", node), known)
        code = fields.needed("code", "bay code")
        entry = BayEntry(
            line=fields.line,
            site=beds.site,
            ward=beds.ward,
            code=code or "",
            position=position,
            name=fields.text("name", "name"),
            sex=fields.choice("sex", values.SEXES),
        )
        if beds.ward and code:
            self.entries.bays.append(entry)
        if "beds" in fields.nodes:
            beds.read(fields, code or "", beds.said_of(fields).over(usual))


class _Beds:
    """The beds of one ward, numbered on from the last as one walks it."""

    def __init__(self, entries: Entries, site: str, ward: str, path: str) -> None:
        self.entries = entries
        self.site = site
        self.ward = ward
        self.path = path
        self.count = 0
        self.highest = 0

    def said_of(self, fields: Fields) -> _Defaults:
        return _Defaults(
            fields.choice("kind", values.BED_KINDS),
            fields.choice("funding", values.FUNDINGS),
            fields.words("features", values.FEATURES),
        )

    def read(self, fields: Fields, bay: str, usual: _Defaults) -> None:
        """A number of beds, a group of beds, or a list of labels, beds and groups."""
        node = fields.nodes["beds"]
        if isinstance(node, ScalarNode):
            count = fields.parsed("beds", values.number_of_beds)
            self.numbered(count or 0, line_of(node), bay, usual)
            return
        for item in node.value if isinstance(node, SequenceNode) else [node]:
            self.item(item, fields.path, bay, usual)

    def item(self, node: Node, path: str, bay: str, usual: _Defaults) -> None:
        if isinstance(node, ScalarNode):
            try:
                self.add(values.clean(node.value, "bed label"), line_of(node), path, bay, usual)
            except ValueError as error:
                self.entries.wrong(line_of(node), path, f"the label {error}")
            return
        known = ("label", "count", "kind", "funding", "features")
        fields = Fields(self.entries, node, f"{path}, bed", known)
        own = self.said_of(fields).over(usual)
        label = fields.text("label", "bed label")
        count = fields.parsed("count", values.number_of_beds)
        if label is not None and count is not None:
            fields.wrong(node, "has a label and a count; give one of them.")
        elif count is not None:
            self.numbered(count, fields.line, bay, own)
        elif label is not None:
            self.add(label, fields.line, path, bay, own)
        elif not {"label", "count"} & set(fields.nodes) and isinstance(node, MappingNode):
            fields.wrong(node, "has neither label nor count; give one of them.")

    def numbered(self, count: int, line: int, bay: str, said: _Defaults) -> None:
        if len(self.entries.beds) + count > values.MOST_BEDS_IN_ALL:
            self.entries.wrong(line, self.path, values.TOO_MANY_BEDS)
            return
        for _ in range(count):
            self.add(str(self.highest + 1), line, "", bay, said)

    def add(self, label: str, line: int, path: str, bay: str, said: _Defaults) -> None:
        if not label:
            self.entries.wrong(line, path, "a bed has an empty label; give it one.")
            return
        if label.isascii() and label.isdecimal() and len(label) < 9:
            self.highest = max(self.highest, int(label))
        entry = BedEntry(
            line=line,
            site=self.site,
            ward=self.ward,
            bay=bay,
            label=label,
            position=self.count,
            kind=said.kind,
            funding=said.funding,
            features=said.features,
        )
        self.count += 1
        if self.site and self.ward:
            self.entries.beds.append(entry)
