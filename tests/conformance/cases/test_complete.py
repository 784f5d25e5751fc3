"""Every case of the collection has a test."""

import re
from pathlib import Path

from tests.conformance.cases import adam, decay, layers, momentum, schedules

IDS = {
    "AD": "01 02 03 05 06 07 08 13 14 16 17 18 19 20 21 22 23 24 25 26",
    "WD": "02 03 04 05 06 07 08",
    "SG": "01 02 03 04 05 06 07 N2",
    "AG": "01 02 04 05 06",
    "LW": "02 03 04 05 07 08 10 11",
    "LR": "01 02 03 04 06 07 09 10 11 12 13 14 15 16 17 18 19 20",
    "CL": "01 02 03 04",
    "MB": "01",
    "SP": "01",
    "TC": "01 02 03 04 05 06 07 08 09 10 11",
}
ALL = {f"{kind}-{number}" for kind, numbers in IDS.items() for number in numbers.split()}


def test_all_83_cases_are_here():
    written = {c.id for table in (adam, decay, layers, momentum, schedules) for c in table.CASES}
    for file in Path(__file__).parent.glob("test_*.py"):
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE):
            written |= {f"{kind}-{n}".upper() for kind, n in re.findall(r"([a-z]{2})_(n?\d+)", name)}
    assert len(ALL) == 83
    assert written >= ALL, sorted(ALL - written)
