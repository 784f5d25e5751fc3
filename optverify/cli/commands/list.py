"""optverify list"""

from __future__ import annotations

from typing import Any

import click

from optverify.cli.group import command
from optverify.cli.output import print_json, print_table


@command
@click.argument("kind", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def run(kind: str | None, as_json: bool) -> None:
    """List rules, schedules, problems or claims; all of them if KIND is left out."""
    if kind is not None and kind not in KINDS:
        from optverify.language.messages import unknown

        raise ValueError(unknown("kind", kind, KINDS))
    found = {k: entries() for k, entries in KINDS.items() if kind in (None, k)}
    if as_json:
        print_json(found)
        return
    for name, entries in found.items():
        print_table([name, "title"], [(e["name"], e["title"]) for e in entries])


def _entries(names: Any, get: Any) -> list[dict[str, str]]:
    return [{"name": name, "title": get(name).title} for name in names]


def _rules() -> list[dict[str, str]]:
    from optverify.rules import registry

    return _entries(registry.names(), registry.get)


def _schedules() -> list[dict[str, str]]:
    from optverify.schedules import registry

    return _entries(registry.names(), registry.get)


def _problems() -> list[dict[str, str]]:
    from optverify.problems import names, problem

    return _entries(names(), problem)


def _claims() -> list[dict[str, str]]:
    from optverify.claims import claims

    return [{"name": claim.id, "title": claim.title} for claim in claims()]


KINDS = {"rules": _rules, "schedules": _schedules, "problems": _problems, "claims": _claims}
