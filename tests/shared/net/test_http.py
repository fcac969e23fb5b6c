"""HTTP responses: every split gives the same response, nonsense is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.net.http import BadResponse, Response, ResponseParser

JSON_REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 13\r\nX-Two:  a b \r\n\r\n"
    b'{"id":"1234"}'
)
CHUNKED_REPLY = (
    b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;note=1\r\nhello\r\n10\r\n, sixteen bytes!\r\n0\r\nTrailer: x\r\n\r\n"
)
EMPTY_REPLY = b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"
EXPECTED = [
    (JSON_REPLY, 200, b'{"id":"1234"}'),
    (CHUNKED_REPLY, 400, b"hello, sixteen bytes!"),
    (EMPTY_REPLY, 204, b""),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + JSON_REPLY, 200, b'{"id":"1234"}'),
]


def feed_all(pieces: list[bytes]) -> Response | None:
    parser, response = ResponseParser(), None
    for piece in pieces:
        assert response is None, "the response was complete before its last byte"
        response = parser.feed(piece)
    assert parser.excess == 0
    return response


@pytest.mark.parametrize(("reply", "status", "body"), EXPECTED)
def test_every_split_in_two_gives_the_same_response(reply: bytes, status: int, body: bytes) -> None:
    for cut in range(len(reply)):
        response = feed_all([reply[:cut], reply[cut:]])
        assert response is not None
        assert (response.status, response.body, response.keep_alive) == (status, body, True)


@pytest.mark.parametrize(("reply", "status", "body"), EXPECTED)
def test_byte_by_byte_gives_the_same_response(reply: bytes, status: int, body: bytes) -> None:
    response = feed_all([reply[index : index + 1] for index in range(len(reply))])
    assert response is not None
    assert (response.status, response.body) == (status, body)


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 17))
def test_any_chunks_in_any_pieces_are_joined(chunks: list[bytes], step: int) -> None:
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"
    response = feed_all([reply[at : at + step] for at in range(0, len(reply), step)])
    assert response is not None
    assert response.body == b"".join(chunks)


def test_headers_are_lower_case_and_stripped() -> None:
    response = feed_all([JSON_REPLY])
    assert response is not None
    assert response.headers[b"content-type"] == b"application/json"
    assert response.headers[b"x-two"] == b"a b"


def test_a_body_may_end_with_the_connection() -> None:
    parser = ResponseParser()
    assert parser.feed(b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>") is None
    response = parser.at_end()
    assert response is not None
    assert (response.status, response.body, response.keep_alive) == (502, b"<html>", False)


def test_a_connection_that_ends_within_a_response_gives_none() -> None:
    parser = ResponseParser()
    assert parser.feed(JSON_REPLY[:-1]) is None
    assert parser.at_end() is None
    assert parser.has_begun


@pytest.mark.parametrize("head", [b"Connection: close\r\n", b"connection: Keep-Alive, Close\r\n"])
def test_connection_close_is_obeyed(head: bytes) -> None:
    response = feed_all([b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 0\r\n\r\n"])
    assert response is not None
    assert not response.keep_alive


def test_bytes_beyond_the_response_are_counted() -> None:
    parser = ResponseParser()
    assert parser.feed(JSON_REPLY + b"HTTP") is not None
    assert parser.excess == 4


@pytest.mark.parametrize(
    "nonsense",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"x" * 70_000,
    ],
)
def test_nonsense_is_an_error_never_a_response(nonsense: bytes) -> None:
    with pytest.raises(BadResponse):
        ResponseParser().feed(nonsense)
