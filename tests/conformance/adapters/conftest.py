"""Real libraries where they are installed; a skip that says how to install them where they are not."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")


@pytest.fixture
def library() -> Callable[..., Any]:
    """library("optax"): the module, its warnings at import kept to itself, or a skip."""

    def imported(name: str, distribution: str = "") -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reason = f"{name} is not installed: pip install {distribution or name.partition('.')[0]}"
            return pytest.importorskip(name, reason=reason, exc_type=ImportError)

    return imported
