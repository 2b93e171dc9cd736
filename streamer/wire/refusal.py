"""Say why a publisher and a subscriber do not come together."""

from __future__ import annotations

from streamer.wire.greeting import mechanism_of

FOLDER = "the folder KEYS/clients/NAME that `streamer keys KEYS` made where it runs"


def refusal(address: str, has_keys: bool, is_stranger: bool) -> str:
    """Return one line that says why a connection was refused, and what to do.

    ZeroMQ tells only a part of it, and that by chance: whoever closes the connection first hides the other's reason. So
    the publisher is asked whether it uses keys.

    Parameters
    ----------
    address : str
        Address of the publisher.
    has_keys : bool
        Whether the subscriber has keys.
    is_stranger : bool
        Whether the publisher understood the subscriber's key, and does not let it in.
    """
    if is_stranger:
        return (
            f"{address} does not let these keys in: their client.key is not in the publisher's KEYS/authorized, or "
            "came there after its start; authorise the client with `streamer keys KEYS --client NAME` over there, and "
            "start the publisher again"
        )
    mechanism = mechanism_of(address)
    if mechanism == "":
        return f"{address} is no publisher: another program, which does not speak ZeroMQ, listens there; check the port"
    if mechanism is None:
        return (
            f"{address} broke the connection off again and again, and answers no more; expected a publisher: is "
            "`streamer listen` running there?"
        )
    match has_keys, mechanism:
        case True, "CURVE":
            return (
                f"{address} is not the publisher of this server.key: the key is that of another one, or was made anew "
                f"since; take {FOLDER}"
            )
        case True, "NULL":
            return (
                f"{address} publishes without keys, and keys were given (--keys); leave them out, or start the "
                "publisher with its own"
            )
        case False, "CURVE":
            return f"{address} publishes with keys and none were given; give {FOLDER} (--keys)"
    return (
        f"{address} is another program that speaks ZeroMQ ({mechanism}); expected a publisher: check the port"
    )
