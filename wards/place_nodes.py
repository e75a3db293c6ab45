"""The nodes of a YAML file: their lines, their names, and the fields of a mapping.

What is wrong is noted with the line it stands on, and reading goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from wards import place_values as values
from wards.place_entries import Notes

T = TypeVar("T")

_NULL: Final = "tag:yaml.org,2002:null"


def line_of(node: Node) -> int:
    """The line a node begins on, counted from 1."""
    return int(node.start_mark.line) + 1


def named(noun: str, node: Node) -> str:
    """`ward NGH-W12`, as far as the entry says its code."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if (
                isinstance(key, ScalarNode)
                and key.value == "code"
                and isinstance(value, ScalarNode)
            ):
                return f"{noun} {values.shown(value.value)}"
    return noun


class Fields:
    """The fields of one mapping; each is read once, and what is wrong is noted."""

    def __init__(self, entries: Notes, node: Node, path: str, known: Collection[str]) -> None:
        self.entries = entries
        self.path = path
        self.line = line_of(node)
        self.nodes: dict[str, Node] = {}
        self.are_fields = isinstance(node, MappingNode)
        if not isinstance(node, MappingNode):
            self.wrong(
                node, f"needs fields such as {', '.join(list(known)[:3])}, each “name: value”."
            )
            return
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else ""
            if name not in known:
                try:
                    values.one_of(name, known)
                except ValueError as error:
                    self.wrong(key, f"the field {error}")
            elif name in self.nodes:
                self.wrong(key, f"the field {name} is there twice; keep one.")
            else:
                self.nodes[name] = value

    def wrong(self, node: Node, message: str) -> None:
        """Note what is wrong with one of them."""
        self.entries.wrong(line_of(node), self.path, message)

    def parsed(self, name: str, parse: Callable[[str], T]) -> T | None:
        """`parse` of a plain value; None when it is not there or wrong (which is noted)."""
        node = self.nodes.get(name)
        if node is None:
            return None
        if not isinstance(node, ScalarNode):
            self.wrong(node, f"{name} needs a single value, not a list or fields.")
            return None
        try:
            return parse("" if node.tag == _NULL else node.value)
        except ValueError as error:
            self.wrong(node, f"{name} {error}")
            return None

    def text(self, name: str, what: str) -> str | None:
        """A text, "" where the file says that there is none."""
        return self.parsed(name, lambda text: values.clean(text, what))

    def needed(self, name: str, what: str) -> str | None:
        """A text that must be there; None when it is not, which is noted."""
        found = self.text(name, what)
        if self.are_fields and (found == "" or name not in self.nodes):
            self.entries.wrong(self.line, self.path, f"{name} is missing; every one needs one.")
        return found or None

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """One of the allowed words."""
        return self.parsed(name, lambda text: values.one_of(text.strip(), allowed))

    def words(self, name: str, allowed: Collection[str]) -> tuple[str, ...] | None:
        """Any of the allowed words, as a list or as one text."""
        node = self.nodes.get(name)
        if not isinstance(node, SequenceNode):
            return self.parsed(name, lambda text: values.some_of(values.split(text), allowed))
        found: set[str] = set()
        for item in node.value:
            if not isinstance(item, ScalarNode):
                self.wrong(item, f"{name} needs plain words.")
                continue
            try:
                found.add(values.one_of(item.value.strip(), allowed))
            except ValueError as error:
                self.wrong(item, f"{name} {error}")
        return tuple(sorted(found))

    def items(self, name: str) -> list[Node]:
        """The items of a list; none when it is not there."""
        node = self.nodes.get(name)
        if node is None or (isinstance(node, ScalarNode) and node.tag == _NULL):
            return []
        if not isinstance(node, SequenceNode):
            self.wrong(node, f"{name} needs a list: lines that begin with “- ”.")
            return []
        return list(node.value)
