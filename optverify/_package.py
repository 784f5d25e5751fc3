"""Packages that can be called: `ov.rules()` lists what `optverify/rules/` holds.

The public names ask for both a package `optverify.rules` and a function `optverify.rules()`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType


class _Listing(ModuleType):
    def __call__(self) -> list[str]:
        names: Iterable[str] = self.names()
        return list(names)


def make_callable(package: str) -> None:
    """Let a package be called for what its `names()` gives."""
    sys.modules[package].__class__ = _Listing
