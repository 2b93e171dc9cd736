"""Test reading checkpoints without TensorFlow, and refusing what is damaged or of another layout."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.checkpoint import read_tensors, read_variables
from streamer.yamnet.crc32c import masked_crc32c
from tests.yamnet.toy_checkpoint import block, entry, message, number, table, varint, write_checkpoint


def toy_variables() -> dict[str, Array]:
    rng = np.random.default_rng(0)
    made: dict[str, Array] = {
        f"layer{n}/kernel": rng.normal(size=(3, n)).astype(np.float32) for n in range(1, 9)
    }
    made["steps"] = np.array(123_456_789_012, np.int64)
    made["half"] = np.array([0.5, -2.0], np.float16)
    return made


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return tmp_path / "variables" / "variables"


@pytest.mark.parametrize("shards", [1, 3])
def test_what_was_written_is_read(prefix: Path, shards: int) -> None:
    write_checkpoint(prefix, toy_variables(), shards=shards)
    found = read_variables(prefix)
    assert set(found) == set(toy_variables())
    for name, array in toy_variables().items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("name", ["variables", ""])
def test_tensors_are_read_by_key_where_no_graph_names_them(prefix: Path, name: str) -> None:
    made = toy_variables()
    write_checkpoint(prefix, made, with_names=False)
    for path in (index_file(prefix), data_file(prefix)):
        path.rename(path.with_name(path.name.replace("variables", name)))
    found = read_tensors(prefix.with_name(f"{name}.index"))
    assert set(found) == set(made)
    for key, array in made.items():
        np.testing.assert_array_equal(found[key], array)


def test_tensors_of_texts_are_left_out(prefix: Path) -> None:
    write_checkpoint(prefix, toy_variables())
    assert len(read_tensors(index_file(prefix))) == len(toy_variables())


def test_the_checksum_is_that_of_the_standard() -> None:
    # RFC 3720, appendix B.4, and the usual check value; the mask as in leveldb/util/crc32c.h
    for content, crc in ((b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)):
        assert masked_crc32c(content) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_a_real_saved_model_is_read(data_dir: Path) -> None:
    found = read_variables(data_dir / "yamnet" / "savedmodel" / "variables" / "variables")
    assert len(found) == 56
    assert found["layer01/conv/kernel"].shape == (3, 3, 1, 32)
    assert all(array.dtype == np.float32 for array in found.values())
    assert sum(array.size for array in found.values()) == 3_729_481


def damage(path: Path, at: int, xor: int = 1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= xor
    path.write_bytes(content)


def data_file(prefix: Path) -> Path:
    return prefix.with_name("variables.data-00000-of-00001")


def index_file(prefix: Path) -> Path:
    return prefix.with_name("variables.index")


def cut(path: Path, bytes_left: int) -> None:
    path.write_bytes(path.read_bytes()[:bytes_left])


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda p: index_file(p).unlink(), r"variables\.index cannot be read \(No such file.*\); expected a c"),
        (lambda p: data_file(p).unlink(), r"data-00000-of-00001 cannot be read \(No such file or directory\)"),
        (lambda p: cut(index_file(p), 30), r"does not end like a table \(30 bytes\); expected the index of a"),
        (lambda p: cut(index_file(p), 200), r"does not end like a table \(200 bytes\); expected the index"),
        (
            lambda p: cut(data_file(p), 50),
            r"data-00000-of-00001 has 50 bytes; expected \d+ or more, for _CHECKPOINTABLE_OBJECT_GRAPH: the file is",
        ),
        (
            lambda p: damage(data_file(p), 5),
            r"v/000/\S+ in \S+ has the checksum [0-9a-f]{8}; expected [0-9a-f]{8}: the file is damaged or was cut",
        ),
        (
            lambda p: damage(data_file(p), len(data_file(p).read_bytes()) - 3),
            r"_CHECKPOINTABLE_OBJECT_GRAPH in \S+ has the checksum [0-9a-f]{8}; expected",
        ),
        (
            lambda p: damage(index_file(p), 20),
            r"the block at 0 of \S+ has the checksum [0-9a-f]{8}; expected [0-9a-f]{8}: the file is damaged",
        ),
        (
            lambda p: index_file(p).write_bytes(table([(b"", b"\xff")])),
            r"is no checkpoint's table \(it ends within a number\); the file is damaged",
        ),
        (
            lambda p: index_file(p).write_bytes(varint(9_999) * 4 + bytes(32) + struct.pack("<Q", 0xDB4775248B80FB57)),
            r"is no checkpoint's table \(a block at 9999 of 9999 bytes in 48\); the file is damaged",
        ),
    ],
)  # fmt: skip
def test_damage_is_told(prefix: Path, spoil: Callable[[Path], None], error: str) -> None:
    write_checkpoint(prefix, toy_variables())
    spoil(prefix)
    with pytest.raises(ModelError, match=error) as raised:
        read_variables(prefix)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"compression": 1}, r"is compressed \(Snappy\); expected a table that is not, as TensorFlow writes it"),
        ({"compression": 2}, r"is compressed \(zstd\)"),
        ({"compression": 9}, r"is compressed \(9\)"),
        ({"header": number(1, 1) + number(2, 1)}, r"says 1 files of tensors, byte order 1; expected 1 or some, and 0"),
        ({"header": b""}, r"says 0 files of tensors, byte order 0; expected 1 or some"),
        ({"header": number(1, 10**15)}, r"says 1000000000000000 files of tensors, byte order 0; expected 1 or some"),
        ({"header": message(1, b"x")}, r"is no checkpoint's table \(field 1 is no whole number\)"),
        ({"with_names": False}, r"has no _CHECKPOINTABLE_OBJECT_GRAPH; expected a checkpoint of TensorFlow 2"),
        ({"more": message(7, b"")}, r"is cut into slices; expected whole variables"),
        ({"change": {"half": entry(4, (2,), 0, 0, 2, 0)}}, r"has the type 4; expected one of TensorFlow's types 1, 2"),
        ({"change": {"half": entry(1, (2,), 0, 0, 4, 0)}}, r"has 4 bytes; expected 8 for float32 \(2,\): the file is"),
        ({"change": {"half": entry(19, (2,), 5, 0, 4, 0)}}, r"lies in file 5; expected one of 1: the file is damaged"),
    ],
)  # fmt: skip
def test_another_layout_is_refused(prefix: Path, options: dict[str, Any], error: str) -> None:
    write_checkpoint(prefix, toy_variables(), **options)
    with pytest.raises(ModelError, match=error) as raised:
        read_variables(prefix)
    assert "\n" not in str(raised.value)


def test_every_cut_and_every_flipped_bit_of_a_small_table_is_told(prefix: Path) -> None:
    write_checkpoint(prefix, {"a": np.ones(3, np.float32)})
    whole = index_file(prefix).read_bytes()
    for at in range(len(whole)):
        index_file(prefix).write_bytes(whole[:at])
        with pytest.raises(ModelError):
            read_variables(prefix)
    unread = whole.index(block([]))  # the block of metadata, which is empty
    for at in range(len(whole) - 48):
        if not unread <= at < unread + len(block([])):
            index_file(prefix).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
            with pytest.raises(ModelError):
                read_variables(prefix)
