"""The reference of the API, made of signatures and docstrings: `python -m optverify.report.api` writes it."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from optverify.files import write_text
from optverify.report.markup import markdown_text, slug

MODULES = (
    "optverify",
    "optverify.language",
    "optverify.rules",
    "optverify.schedules",
    "optverify.libraries",
    "optverify.backends",
    "optverify.optimizers",
    "optverify.problems",
    "optverify.training",
    "optverify.translation",
    "optverify.proof",
    "optverify.claims",
    "optverify.ledger",
    "optverify.sweep",
    "optverify.conformance.check",
    "optverify.conformance.diagnose",
    "optverify.testing",
)
"""In the order in which a reader meets them."""
HEAD = """# Reference of the API

Made of the docstrings by `python -m optverify.report.api`; what is not here is not public. Equations and
sources of the rules themselves are on [the page](../reports/index.html) and in
[equations](../reports/equations.md). Commands say what they take with `optverify COMMAND --help`.
"""
ADDRESS = re.compile(r" at 0x[0-9a-f]+|<object object>")


def page() -> str:
    """Markdown: a section a module, a part a name."""
    modules = [import_module(name) for name in MODULES]
    contents = "\n".join(f"- [{m.__name__}](#{slug(m.__name__)})" for m in modules)
    return f"{HEAD}\n{contents}\n" + "".join(_section(m) for m in modules)


def _section(module: ModuleType) -> str:
    parts = "".join(_part(module, name) for name in public(module))
    return f"\n## {module.__name__}\n\n{_prose(inspect.getdoc(module) or '')}\n{parts}"


def public(module: ModuleType) -> list[str]:
    """The names it lists, else the functions and classes that it, or a module of its own, defines."""
    own = (
        name
        for name, thing in vars(module).items()
        if (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__.startswith(module.__name__)
    )
    return list(getattr(module, "__all__", ())) or [name for name in own if not name.startswith("_")]


def _part(module: ModuleType, name: str) -> str:
    thing = getattr(module, name)
    if inspect.ismodule(thing):
        return f"\n### {name}\n\nA module: {markdown_text((thing.__doc__ or '').strip().splitlines()[0])}\n"
    documented = inspect.isclass(thing) or inspect.isroutine(thing) or callable(thing)
    said = _prose(inspect.getdoc(thing) or "") if documented else f"`{ADDRESS.sub('', repr(thing))[:200]}`\n"
    methods = "".join(_method(*found) for found in _methods(thing))
    return f"\n### {name}\n\n{_signature(name, thing)}{said}{methods}"


def _methods(thing: Any) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class, in the order in which they are written."""
    if inspect.isclass(thing):
        for name, member in vars(thing).items():
            what = member.__func__ if isinstance(member, classmethod | staticmethod) else member
            if not name.startswith("_") and (inspect.isfunction(what) or isinstance(what, property)):
                yield name, what


def _method(name: str, member: Any) -> str:
    said = " ".join((inspect.getdoc(member) or "").split("\n\n")[0].split())
    head = f"`.{name}`" if isinstance(member, property) else f"`.{name}{_arguments(member)}`"
    return f"- {head}: {markdown_text(said)}\n" if said else f"- {head}\n"


def _signature(name: str, thing: Any) -> str:
    written = _arguments(thing)
    return f"```python\n{name}{written}\n```\n\n" if written else ""


def _arguments(thing: Any) -> str:
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    plain = [
        p.replace(annotation=p.empty) for p in found.parameters.values() if p.name not in ("self", "cls")
    ]
    return ADDRESS.sub("", str(found.replace(parameters=plain, return_annotation=found.empty)))


def _prose(text: str) -> str:
    """Paragraphs as paragraphs; what is indented stays as it is."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = paragraph.splitlines()
        if all(line.startswith("    ") for line in lines):
            parts.append(f"```text\n{textwrap.dedent(paragraph)}\n```")
        else:
            parts.append(markdown_text(paragraph))
    return "\n\n".join(parts) + "\n" if text else ""


if __name__ == "__main__":
    write_text(Path("docs/api.md"), page())
