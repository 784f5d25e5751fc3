"""A part of the page, and how its HTML is made: from templates that escape whatever is put into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from optverify.formulas import line, mathml


@dataclass(frozen=True)
class Link:
    """A line in the navigation at the side.

    id: the anchor; title: its text. good, bad: how many claims hold and are refuted, shown where not 0.
    """

    id: str
    title: str
    good: int = 0
    bad: int = 0


@dataclass(frozen=True)
class Group:
    """Lines of the navigation under a heading; open: whether they are seen before anybody asks."""

    title: str
    links: tuple[Link, ...]
    open: bool = False


@dataclass(frozen=True)
class Section:
    """One part of the page.

    id: its anchor, and the name of its data; title: its heading in the navigation; body: its HTML. scripts,
    styles: names of files in `static/`, put into the page once whoever names them. data: what scripts get
    from `await ov.data(id)`, anything that JSON can say; further: name -> data that is asked for on its own,
    by `await ov.data(name)`. contents: what the navigation at the side shows of it.
    """

    id: str
    title: str
    body: Markup
    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    further: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    contents: tuple[Group, ...] = ()

    @property
    def stores(self) -> dict[str, Mapping[str, Any]]:
        """Name -> data of everything it brings."""
        return ({} if self.data is None else {self.id: self.data}) | dict(self.further)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("optverify.report.web", "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"math": mathml, "line": line}
    return environment


def html(template: str, **values: object) -> Markup:
    """The HTML a template makes of these values; text is escaped, Markup is not."""
    return Markup(_environment().get_template(template).render(**values))
