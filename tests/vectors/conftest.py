from pathlib import Path

import pytest

from optverify.vectors.bank import Bank

VECTORS = Path(__file__).parents[2] / "reports" / "vectors"


@pytest.fixture(scope="session")
def bank():
    return Bank(VECTORS)
