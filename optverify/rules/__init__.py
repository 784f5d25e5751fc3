"""One file a rule, data only. The file `x.py` holds the rule named `x`; calling the package lists them."""

from typing import Any

from optverify._package import make_callable
from optverify.language import Registry, Rule

registry = Registry(Rule, __name__, __path__)
make_callable(__name__)


def names() -> list[str]:
    """All names, sorted; `rules()` gives the same."""
    return registry.names()


def rule(name: str, **options: Any) -> Rule:
    """The rule of that name, in the paper's dialect or the one the options name (`epsilon="hat"`).

    Raises ValueError, with the nearest name, for an unknown rule, axis or option.
    """
    found = registry.get(name)
    return found.dialect(**options) if options else found
