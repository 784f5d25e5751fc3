"""One file a rule, data only. The file `x.py` holds the rule named `x`; calling the package lists them."""

from typing import Any

from optverify._package import make_callable
from optverify.language import Registry, Rule, wrapper
from optverify.libraries import library

DEEPEST = 8
"""Wrappers round a rule."""

registry = Registry(Rule, __name__, __path__)
make_callable(__name__)


def names() -> list[str]:
    """All names, sorted; `rules()` gives the same."""
    return registry.names()


def rule(name: str, *, like: str | None = None, **options: Any) -> Rule:
    """The rule of that name, in the paper's dialect or the one the options name (`epsilon="hat"`).

    A wrapper goes round the name: "clip_by_norm(adam)", "lookahead(clip_by_norm(adam))"; axes are joined.
    like: a library, "torch", "optax" or "keras": its dialect and its defaults, the options on top.
    Raises ValueError, with the nearest name, for an unknown rule, axis, option or library.
    """
    if name.count("(") > DEEPEST:
        raise ValueError(f"{name[:40]}... wraps a rule {name.count('(')} times: at most {DEEPEST} are taken")
    outer, _, inner = name.partition("(")
    if inner.endswith(")"):
        wrapped = wrapper(outer)(rule(inner[:-1], like=like))
        return wrapped.dialect(**{**wrapped.options, **options})
    found = registry.get(name)
    if like is not None:
        entry = library(like).entry(name)
        return found.with_defaults(entry.defaults).dialect(**{**entry.options, **options})
    return found.dialect(**options) if options else found
