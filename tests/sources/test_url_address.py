"""Test that addresses are shown without their secrets, wherever they are said."""

from __future__ import annotations

import logging
import shutil
from contextlib import closing

import pytest

from streamer.errors import ConfigError, StreamerError
from streamer.sources.network.url import UrlSource
from streamer.sources.url_address import secrets_of, split_url, without_secrets
from tests.sources.servers import files, http, served

SECRET = "S3cr3tValue"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host/a@b.mp3", "http://host/a@b.mp3"),
        ("http://host:8000/a@b:c.mp3", "http://host:8000/a@b:c.mp3"),
        ("rtsp://user:p@ss@host:554/live", "rtsp://***@host:554/live"),
        ("rtsp://user:p/a?s#s@host:554/live", "rtsp://***@host:554/live"),
        ("rtsp://user@host", "rtsp://***@host"),
        ("plain", "plain"),
        ("http://host/a?u=ann&p=x1&pin=12&jwt=ey.J", "http://host/a?u=***&p=***&pin=***&jwt=***"),
        ("http://host/a?top=3&cup=2", "http://host/a?top=3&cup=2"),
        ("http://host/a?hdnts=exp=1~acl=/*~hmac=ab&x=1", "http://host/a?hdnts=***&x=1"),
        ("srt://host:1?streamid=#!::u=ann,p=x&mode=caller", "srt://host:1?streamid=***&mode=caller"),
        (
            "http://host/a?channel=1&format=mp3&name=radio-one",
            "http://host/a?channel=1&format=mp3&name=radio-one",
        ),
        ("rtsp://host/a?real_stream", "rtsp://host/a?real_stream"),
        ("'http://host/a?ticket=S3cr3tValue': 404", "'http://host/a?ticket=***': 404"),
        ("http://host/a?ticket=S3cr3tValue: Not found", "http://host/a?ticket=***: Not found"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


@pytest.mark.parametrize(
    "query",
    [
        *(
            f"{name}={SECRET}"
            for name in ("password", "loginpas", "access_token", "X-Amz-Signature", "st", "md5", "ticket")
        ),
        *(
            f"{name}={SECRET}"
            for name in ("psk", "t", "kennwort", "pass%77ord", "user%5Bpassword%5D", "verify", "name@")
        ),
        *(
            f"password={value}"
            for value in (f"a;{SECRET}", f"a/{SECRET}", f"a?{SECRET}", f"'{SECRET}'", f"a'b_c={SECRET}")
        ),
        f"channel=1&{SECRET}",
        f"next=http%3A%2F%2Fuser%3A{SECRET}%40host%2F",
        f"x=1#access_token={SECRET}",
    ],
)
def test_no_query_tells_a_secret(query: str) -> None:
    for url in (f"http://host/a?{query}", f"rtsp://user:{SECRET}@host/a?x=1&{query}&y=2"):
        assert SECRET not in without_secrets(url)
        assert SECRET not in without_secrets(f"Failed to open '{url}': no such stream")
        assert any(SECRET in secret for secret in secrets_of(url))


def test_what_cannot_be_read_is_told_without_its_password() -> None:
    with pytest.raises(ConfigError, match=r"cannot be read \(netloc '.*\*\*\*@host") as raised:
        split_url(f"http://user:{SECRET}@host\u2100/")
    assert SECRET not in str(raised.value)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("path", ["/no.mp3", "/list.m3u", "/live.m3u8", "/text"])
def test_no_error_and_no_line_of_a_log_tells_a_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    monkeypatch.delenv("http_proxy", raising=False)
    caplog.set_level(logging.DEBUG)
    with served(http(b"nothing", "404 Not Found")) as other:
        there = f"http://user:{SECRET}@{other}/no.ts?ticket={SECRET}"
        contents = {
            "/list.m3u": f"#EXTM3U\n{there}\n".encode(),
            "/live.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{there}\n#EXT-X-ENDLIST\n".encode(),
            "/text": b"no sound " * 1_000,
        }
        of_query = {f"{name}?ticket={SECRET}": content for name, content in contents.items()}
        with served(files(of_query)) as server:
            url = f"http://user:{SECRET}@{server}{path}?ticket={SECRET}"
            with closing(UrlSource(url)) as source, pytest.raises(StreamerError) as raised:
                source.open()
    assert SECRET not in str(raised.value)
    assert SECRET not in caplog.text
