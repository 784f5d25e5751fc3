"""Find data files by themselves: one module, one entry, no list to keep."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import Generic, TypeVar

from optverify.language.messages import unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """The entries of a package: module `adam` holds the `entry` (a Rule, say) named `adam`.

    Names are read off the folder; a module is imported when its entry is asked for.
    """

    def __init__(self, entry: type[T], package: str, path: Iterable[str], kind: str = "") -> None:
        """kind: what an error calls an entry, the name of its class if left out."""
        self.entry, self.package, self.path = entry, package, path
        self.kind = kind or entry.__name__.lower()
        self._found: dict[str, T] = {}

    def names(self) -> list[str]:
        """All names, sorted, without importing any of them."""
        return sorted(m.name for m in pkgutil.iter_modules(self.path) if not m.name.startswith("_"))

    def get(self, name: str) -> T:
        """The entry; ValueError with the nearest name if there is none."""
        if name in self._found:
            return self._found[name]
        kind = self.kind
        if name not in self.names():
            raise ValueError(unknown(kind, name, self.names()))
        module = import_module(f"{self.package}.{name}")
        for value in vars(module).values():
            if isinstance(value, self.entry) and getattr(value, "name", None) == name:
                self._found[name] = value
                return value
        raise ValueError(
            f"{module.__file__} holds no {kind} named {name!r}: a file holds the {kind} it is named after"
        )
