"""The reference as one page: a file that works from a disk, without network, framework or second file.

    page(sections)    the HTML of these sections

A section brings its HTML, the scripts and style sheets it needs (by name, from `static/`), and data that the
scripts ask for. Data is compressed; what a reader sees first is plain HTML.
"""

from optverify.report.web.document import page
from optverify.report.web.section import Section, html

__all__ = ["Section", "html", "page"]
