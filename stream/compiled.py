"""Numba, in one place: how the stream's kernels are compiled."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel at its first call, and keep the machine code where that is possible.

    Numba keeps it beside the module, or in the user's cache folder; where neither can be written
    (a read-only system without a home), it compiles anew at each start. It looks at the kernel's
    own file only to see whether the code is stale: a kernel must not call one of another module.

    Strict IEEE arithmetic, in the order written: results are the same bits for any grouping.
    """
    try:
        return cast("Callable[P, R]", numba.njit(cache=True)(function))
    except RuntimeError:
        return cast("Callable[P, R]", numba.njit(function))
