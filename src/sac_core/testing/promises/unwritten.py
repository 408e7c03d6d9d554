"""A plugin that is not written yet fails by saying so, once for each test, instead of by a hundred tracebacks."""

from __future__ import annotations

import inspect

import pytest

SAID = "not written yet: "


def unwritten(thing: object, contract: type) -> list[str]:
    """The methods of a contract whose body, in ``thing`` or its class, names NotImplementedError."""
    cls = thing if isinstance(thing, type) else type(thing)
    found = []
    for name, _ in inspect.getmembers(contract, inspect.isfunction):
        code = getattr(getattr(cls, name, None), "__code__", None)
        if code is not None and "NotImplementedError" in code.co_names:
            found.append(f"{cls.__name__}.{name}")
    return found


def demand_written(*pairs: tuple[object, type]) -> None:
    """Fail the test with the names of all methods that are not written."""
    missing = [name for thing, contract in pairs for name in unwritten(thing, contract)]
    if missing:
        pytest.fail(SAID + ", ".join(missing), pytrace=False)
