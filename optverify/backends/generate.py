"""Write the step modules of all rules to optverify/steps/: python -m optverify.backends.generate"""

from __future__ import annotations

import os
from pathlib import Path

from optverify.backends.numpy import numpy_source
from optverify.rules import registry

STEPS = Path(__file__).parent.parent / "steps"


def generated() -> dict[str, str]:
    """File name -> source of every step module, as it should stand in steps/."""
    return {f"{name}.py": numpy_source(registry.get(name)) for name in registry.names()}


def stale(folder: Path = STEPS) -> list[str]:
    """The files of the folder that are missing, differ from their rule, or belong to no rule."""
    wanted = generated()
    present = {p.name: p.read_text("utf-8") for p in folder.glob("[!_]*.py")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write(folder: Path = STEPS) -> list[str]:
    """Bring the folder up to date; return the names of the files that changed."""
    changed, wanted = stale(folder), generated()
    for name in changed:
        if name not in wanted:
            (folder / name).unlink()
            continue
        temporary = folder / f"_{name}.new"
        temporary.write_text(wanted[name], "utf-8")
        os.replace(temporary, folder / name)
    return changed


if __name__ == "__main__":
    print("\n".join(f"wrote {name}" for name in write()) or "steps/ is up to date")
