"""What real libraries compute, as data: one file a library, a dialect and its defaults for each rule."""

from optverify._package import make_callable
from optverify.language import Registry
from optverify.language.library import Entry, Library

registry = Registry(Library, __name__, __path__)
make_callable(__name__)

__all__ = ["Entry", "Library", "library", "names", "registry"]


def names() -> list[str]:
    """All names, sorted; `libraries()` gives the same."""
    return registry.names()


def library(name: str) -> Library:
    """The library of that name; ValueError, with the nearest name, for one that is not known."""
    return registry.get(name)
