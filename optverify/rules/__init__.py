"""One file a rule, data only. The file `x.py` holds the rule named `x`."""

from optverify.language import Registry, Rule

registry = Registry(Rule, __name__, __path__)
