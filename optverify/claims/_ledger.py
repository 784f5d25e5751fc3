"""All claims."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import ModuleType

from optverify.claims._claim import Claim
from optverify.language.messages import unknown
from optverify.rules import registry

PACKAGE = "optverify.claims"


def _claims_of(module: ModuleType) -> Iterator[Claim]:
    """Claims a module names, and those it makes by rule and lists as CLAIMS."""
    yield from (value for value in vars(module).values() if isinstance(value, Claim))
    yield from getattr(module, "CLAIMS", ())


@cache
def _all() -> dict[str, Claim]:
    found: dict[str, Claim] = {}
    for module in pkgutil.iter_modules(import_module(PACKAGE).__path__):
        if module.name.startswith("_"):
            continue
        for claim in _claims_of(import_module(f"{PACKAGE}.{module.name}")):
            if found.setdefault(claim.id, claim) is not claim:
                raise ValueError(f"two claims are called {claim.id!r}: give one of them another id")
    return {c.id: c for c in sorted(found.values(), key=lambda c: (c.topic, c.id))}


def claims() -> list[Claim]:
    """All claims, sorted by topic and id. A file without _ is a topic; claims need no list."""
    return list(_all().values())


def claim(id: str) -> Claim:
    """The claim of that id; ValueError with the nearest one if there is none."""
    if id in registry.names():
        raise ValueError(f"{id!r} is a rule, not a claim: for what is claimed about it give --rule {id}")
    if id not in _all():
        raise ValueError(unknown("claim", id, _all()))
    return _all()[id]
