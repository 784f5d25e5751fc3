"""Axes: the documented choices in which implementations of one rule differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optverify.language.messages import unknown

Option = str | bool


@dataclass(frozen=True)
class Axis:
    """One choice. name: the keyword; question: what it settles; options: option -> what it does.

    The first option is the default.
    """

    name: str
    question: str
    options: Mapping[Option, str]

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.options)))

    @property
    def default(self) -> Option:
        """The option of the paper."""
        return next(iter(self.options))

    def only(self, *options: Option) -> Axis:
        """The same axis with these options alone, the first being the default."""
        return Axis(self.name, self.question, {o: self.options[o] for o in options})

    def starting(self, option: Option) -> Axis:
        """The same axis with another default."""
        return self.only(option, *(o for o in self.options if o != option))

    def check(self, option: Any) -> Option:
        """Return option; ValueError with the known ones if this axis does not have it."""
        if isinstance(option, str) and option.lower() in ("true", "false") and True in self.options:
            option = option.lower() == "true"  # the command line has no booleans
        for known in self.options:
            if type(option) is type(known) and option == known:
                return known
        raise ValueError(unknown(f"option for axis {self.name}", option, self.options))
