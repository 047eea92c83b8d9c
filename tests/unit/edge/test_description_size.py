import pytest

from citynerve.codec import MAX_PAYLOAD, encode
from citynerve.errors import ConfigError
from citynerve.messages import About, Hello, HelloMessage, PropertyAbout, SensorAbout
from edge.about import check_size

PROPERTIES = tuple(PropertyAbout(f"property-{number}", "ug/m3") for number in range(5))
LAST = (1 << 52) - 1


def about(sensors: int) -> About:
    return About(
        "town/centre", sensors=tuple(SensorAbout(f"s{n}", PROPERTIES) for n in range(sensors))
    )


def test_what_passes_fits_a_hello_and_what_does_not_fit_does_not_pass() -> None:
    size = len(encode(about(1001))) - len(encode(about(1000)))
    most = MAX_PAYLOAD // size
    passed = refused = 0
    for sensors in range(most - 60, most + 20):
        one = about(sensors)
        fits = len(encode(HelloMessage(Hello("n" * 63, LAST, one, 10**13)))) <= MAX_PAYLOAD
        try:
            check_size(one, "node.toml")
        except ConfigError:
            refused += 1
        else:
            passed += 1
            assert fits
    assert passed
    assert refused


def test_the_error_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="share them out") as caught:
        check_size(about(10_000), "node.toml")
    assert (caught.value.file, caught.value.key) == ("node.toml", "sensor")
