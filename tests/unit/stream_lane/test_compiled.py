"""Kernels compile also where their machine code cannot be kept."""

from typing import Any

import numba
import pytest

from stream.compiled import compiled


def test_without_a_place_for_the_cache_it_compiles_at_each_start() -> None:
    scope: dict[str, Any] = {}
    # Of a function without a source file, as of one in a read-only system, nothing can be kept.
    exec("def plus_one(x):\n    return x + 1", scope)  # noqa: S102 - the point of the test
    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(cache=True)(scope["plus_one"])
    assert compiled(scope["plus_one"])(2) == 3
