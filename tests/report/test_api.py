"""The reference of the API is what the docstrings say now, and every public name has one."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from optverify.report.api import MODULES, page, public

API = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_committed_reference_is_the_one_that_is_made_now():
    assert API.read_text("utf-8") == page(), "run python -m optverify.report.api"


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_and_class_is_documented(name):
    module = import_module(name)
    assert public(module)
    for listed in public(module):
        thing = getattr(module, listed)
        if inspect.isfunction(thing) or inspect.isclass(thing):
            assert inspect.getdoc(thing), listed
