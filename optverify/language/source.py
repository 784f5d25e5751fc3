"""Where a formula comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A paper, book or lecture.

    authors, year, title: as cited. where: equation, algorithm, section or slide. arxiv, url: if any.
    """

    authors: str
    year: int
    title: str
    where: str
    venue: str = ""
    arxiv: str = ""
    url: str = ""

    @property
    def link(self) -> str:
        """The address of the text, or an empty string."""
        return self.url or (f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else "")

    def __str__(self) -> str:
        venue = f", {self.venue}" if self.venue else ""
        arxiv = f", arXiv:{self.arxiv}" if self.arxiv else ""
        return f"{self.authors} ({self.year}), {self.title}{venue}{arxiv}: {self.where}"
