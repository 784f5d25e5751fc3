"""The museum of faults: what people met in optimizers and schedules, and what is said of it.

    halls()    the exhibits by subject

Each exhibit has a sentence, the public threads that reported it, and cases: a piece of code, the path that it
takes, the path of the rule that it was meant to be, and what the check and the diagnosis say of the code. The
right path is derived from the recurrence of the rule whenever the museum is made; what the code does and what
was said of it is recorded, and the tests of the cases hold the record against a fresh run.
"""

from optverify.report.museum.exhibits import Exhibit, Fact, Hall, Thread, halls
from optverify.report.museum.paths import Case, Judgement

__all__ = ["Case", "Exhibit", "Fact", "Hall", "Judgement", "Thread", "halls"]
