"""Java's murmur2, by the vectors of Kafka's own UtilsTest."""

import pytest

from obsync_tui.engine.rowplan.hashing import murmur2, murmur2_partition

VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("data", "signed"), VECTORS.items())
def test_hash_is_javas(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed & 0xFFFFFFFF
    # Utils.toPositive drops the sign bit, it does not negate.
    assert murmur2_partition(data, 12) == (signed & 0x7FFFFFFF) % 12
