"""Compute the checksums of TensorFlow's checkpoints: CRC-32C (Castagnoli), masked as LevelDB does."""

from __future__ import annotations

import numpy as np
from numba import njit

from streamer.arrays import Array

_POLYNOMIAL = 0x82F63B78
"""CRC-32C's polynomial, least significant bit first (RFC 3720, appendix B.4)."""


def _remainders() -> Array:
    """Return the remainder of every byte, uint32 of shape (256,)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


_TABLE = _remainders()


@njit(nogil=True, cache=True)
def _extend(crc: np.uint32, content: Array, table: Array) -> np.uint32:
    for byte in content:
        crc = table[(crc ^ byte) & np.uint32(255)] ^ (crc >> np.uint32(8))
    return crc


def crc32c(content: bytes) -> int:
    """Return the CRC-32C of some bytes."""
    start = np.uint32(0xFFFFFFFF)
    return 0xFFFFFFFF ^ int(_extend(start, np.frombuffer(content, np.uint8), _TABLE))


def masked_crc32c(content: bytes) -> int:
    """Return the masked CRC-32C of some bytes, as files of TensorFlow and LevelDB have it.

    The mask is a rotation by 15 bits and a constant (leveldb, util/crc32c.h), since the CRC of what contains its own
    CRC would be the same for everything.
    """
    crc = crc32c(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
