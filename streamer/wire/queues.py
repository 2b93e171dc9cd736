"""Limits of what waits for a slow subscriber; ``benchmarks/slow_subscriber.py`` measures what they come to."""

PUBLISHER_MESSAGES = 2_000
"""Most messages that wait in the publisher for each subscriber; it drops what comes beyond them. They hold what one
turn of the engine publishes at most with the default rates: a second of each of 64 files."""

SUBSCRIBER_MESSAGES = 1_000
"""Most messages that wait in the subscriber; further ones wait in the publisher. It is ZeroMQ's default."""

SYSTEM_BYTES = 131_072
"""Buffer of a TCP connection that each end asks the system for. By default it grows to megabytes, where thousands of
messages more would wait. One that is much smaller would slow down stems over a distance: a connection carries about one
buffer in each round trip."""
