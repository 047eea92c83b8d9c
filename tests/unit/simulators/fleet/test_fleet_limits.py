import resource
import subprocess
import sys

import pytest

from citynerve.errors import ConfigError
from simulators.fleet.limits import PER_NODE, allow


def test_the_soft_limit_is_raised_as_far_as_is_needed() -> None:
    program = (
        "import resource; from simulators.fleet.limits import allow\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))\n"
        "allow(100); print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) >= 100 * PER_NODE


def test_more_than_the_system_allows_is_refused_with_what_would_do() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        pytest.skip("this system allows any number of open files")
    with pytest.raises(ConfigError, match="open files") as caught:
        allow(hard)
    assert caught.value.fix is not None
    assert "ulimit" in caught.value.fix
