"""Packages that can be called: `ov.rules()` lists what `optverify/rules/` holds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any


class _Listing(ModuleType):
    def __call__(self) -> list[str]:
        names: Iterable[str] = self.registry.names()
        return list(names)


def make_callable(package: str) -> Any:
    """Let a package be called for the names in its `registry`; the fixed public names ask for both."""
    sys.modules[package].__class__ = _Listing
