"""Golden vectors: what every rule and schedule computes, for programs in any language.

`files.write` makes them, `judging.report` judges what a program made of them, `lint.lint` holds a folder of
them against what would be written now.
"""

from optverify.vectors.bank import Bank, default_folder
from optverify.vectors.files import names, write
from optverify.vectors.judging import Report, Verdict, read, report

__all__ = ["Bank", "Report", "Verdict", "default_folder", "names", "read", "report", "write"]
