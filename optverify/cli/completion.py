"""Names for the shell's completion: read off files, so that a press of Tab does not import SymPy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

PACKAGE = Path(__file__).parents[1]
CLAIM = re.compile(r'@claim\(\s*"([^"]+)"')

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def rules() -> list[str]:
    """Of `optverify.rules`."""
    return _modules("rules")


def schedules() -> list[str]:
    """Of `optverify.schedules`."""
    return _modules("schedules")


def libraries() -> list[str]:
    """Those that --like takes."""
    return _modules("libraries")


def claims() -> list[str]:
    """Those that are written one by one."""
    texts = (path.read_text("utf-8") for path in sorted((PACKAGE / "claims").glob("*.py")))
    return sorted({id for text in texts for id in CLAIM.findall(text)})


def of(*kinds: Callable[[], Iterable[str]]) -> Any:
    """Completes a value to names of these kinds."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = (name for kind in kinds for name in kind())
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete


def _modules(folder: str) -> list[str]:
    return sorted(p.stem for p in (PACKAGE / folder).glob("*.py") if not p.stem.startswith("_"))
