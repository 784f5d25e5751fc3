"""The report: pages, LaTeX and figures made of what the layers below derive.

    write(Path("reports"))          makes them
    differences(Path("reports"))    says in which files a folder is out of date

Everything is seeded: a second run gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from optverify.files import write_text

__all__ = ["Engine", "Format", "comparison", "differences", "write", "write_files"]

Progress = Callable[[str], None]
Format = Literal["md", "html", "tex", "pdf"]
Engine = Literal["auto", "typst", "latex"]
SUFFIXES: dict[Format, tuple[str, ...]] = {
    "md": (".md", ".svg"),
    "html": (".html",),
    "tex": (".tex",),
    "pdf": (),
}
TEXTS: tuple[Format, ...] = ("md", "html", "tex")
"""What needs nothing but this package."""


def write(
    folder: Path | str,
    progress: Progress | None = None,
    *,
    cache: bool = True,
    formats: Collection[Format] = TEXTS,
    engine: Engine = "auto",
) -> list[Path]:
    """Write the report into a folder, which is made if missing; return the paths of its files.

    progress: told what is under way. cache: take a report that was made of the same sources before. formats:
    the page, Markdown with its figures, LaTeX, and a PDF by an engine that must be there. No file
    is written before everything is made, and each file is written beside its place and then moved there: an
    interrupted run leaves no file half written. Raises OSError, before anything is made, for a folder that
    cannot be written.
    """
    folder = Path(folder)
    _prepare(folder)
    files = _made(progress, cache)
    written = write_files(folder, chosen(files, formats)) if set(formats) - {"pdf"} else []
    if "pdf" in formats:
        from optverify.report.paper import write_pdf

        (progress or (lambda what: None))("the PDF")
        written.append(write_pdf(folder, files, engine))
    return written


def chosen(files: Mapping[str, str], formats: Collection[Format]) -> dict[str, str]:
    """The files of these formats, with a manifest of them."""
    from optverify.report.manifest import NAME, manifest

    suffixes = tuple(s for f in formats for s in SUFFIXES[f])
    kept = {name: text for name, text in files.items() if name.endswith(suffixes)}
    return {**kept, NAME: manifest(kept)}


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write texts by their names into a folder, which is made if missing; return their paths."""
    paths = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        paths.append(path)
    return paths


def differences(folder: Path | str, progress: Progress | None = None, *, cache: bool = True) -> list[str]:
    """How the report in a folder differs from a fresh one, a sentence a file; empty if it does not.

    See `comparison` for what counts as a difference. Raises FileNotFoundError, before anything is made, for a
    folder without manifest.
    """
    from optverify.report.manifest import NAME, difference

    folder = Path(folder)
    if not (folder / NAME).is_file():
        raise FileNotFoundError(
            f"no report to check in {str(folder)!r}: it has no {NAME}; write one there or name another folder"
        )
    bytewise = comparison(folder) == "byte for byte"
    found = []
    for name, fresh in _made(progress, cache).items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif sentence := difference(name, path.read_text("utf-8"), fresh, bytewise):
            found.append(sentence)
    return found


def comparison(folder: Path | str) -> str:
    """How the report in a folder can be compared with a fresh one.

    "byte for byte" where its manifest names the environment we are in; elsewhere "texts exactly, figures by
    their numbers", because the last bits of a curve depend on matplotlib, NumPy and the processor.
    """
    from optverify.report.manifest import NAME, same_environment

    path = Path(folder) / NAME
    known = path.is_file() and same_environment(path.read_text("utf-8"))
    return "byte for byte" if known else "texts exactly, figures by their numbers"


def _prepare(folder: Path) -> None:
    """Make the folder and its folder of figures, and see that files can be written there."""
    for place in (folder, folder / "figures"):
        try:
            place.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise OSError(
                f"cannot write into {str(place)!r} ({error.strerror}): name another folder for the report"
            ) from error


def _made(progress: Progress | None, cache: bool) -> dict[str, str]:
    """Name -> text of every file, the manifest last; cache: those made before of the same sources."""
    from optverify.report.kept import kept
    from optverify.report.manifest import NAME, manifest

    def make() -> dict[str, str]:
        from optverify.report.pages import make_files

        return make_files(progress or (lambda what: None))

    files = kept(make) if cache else make()
    return {**files, NAME: manifest(files)}
