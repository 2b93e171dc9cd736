"""Which addresses are valid."""

from __future__ import annotations

import pytest

from streamer.errors import ConfigError
from streamer.wire.address import check_address


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:65535", "tcp://*:*", "tcp://[::1]:0", "ipc://a"])
def test_a_port_that_there_is_and_a_path_are_taken(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:65536", "tcp://127.0.0.1", "ipc://", "inproc://a"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(
        ConfigError, match=r"got the address .* expected tcp://HOST:PORT with a port up to 65535"
    ):
        check_address(address)
