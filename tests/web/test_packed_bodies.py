"""Compressed bodies are decompressed only as far as they are read."""

import gzip
import zlib
from itertools import islice

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from raw_http import send_raw, status_of
from web_house import House, OpenHouse

from bot.web.server.packing import PIECE_BYTES, Unpacker


def bare(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(data) + packing.flush()


WAYS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "deflate, bare": bare}


@given(
    st.sampled_from(sorted(WAYS)),
    st.builds(
        lambda text, times, rest: text * times + rest, st.binary(max_size=9), st.integers(0, 70_000), st.binary(max_size=99)
    ),
    st.lists(st.integers(1, 300), max_size=20),
)
def test_compressed_body_is_read_in_pieces(way: str, data: bytes, cuts: list[int]) -> None:
    """It works for every compression and wherever the network splits the body."""
    packed, unpacker, found = WAYS[way](data), Unpacker(way.partition(",")[0]), []
    for cut in [*cuts, len(packed)]:
        found += unpacker.pieces(packed[:cut])
        packed = packed[cut:]

    assert (data, True) == (b"".join(found), unpacker.whole)
    assert all(len(piece) <= PIECE_BYTES for piece in found)


@pytest.mark.parametrize("size", [PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 1])
def test_buffered_rest_is_returned_at_the_end(size: int) -> None:
    """All input is consumed while some output is still inside the decompressor."""
    unpacker = Unpacker("deflate")

    assert size == sum(map(len, unpacker.pieces(bare(bytes(size)))))
    assert unpacker.whole


def test_compression_bomb_is_unpacked_only_as_far_as_it_is_read() -> None:
    """A thousandth of it is enough to see that it is too large."""
    bomb = Unpacker("gzip").pieces(gzip.compress(bytes(64 * 1024 * 1024)))

    assert [PIECE_BYTES] * 2 == [len(piece) for piece in islice(bomb, 2)]


def test_concatenated_gzip_streams_are_one_body() -> None:
    """gzip treats them as one file."""
    assert b"onetwo" == b"".join(Unpacker("gzip").pieces(gzip.compress(b"one") + gzip.compress(b"two")))


def test_padding_after_the_stream_is_ignored() -> None:
    """Some clients add padding."""
    assert b"one" == b"".join(Unpacker("gzip").pieces(gzip.compress(b"one") + bytes(9)))


@pytest.mark.parametrize("cut", [0, 1, 5, -1])
def test_truncated_stream_is_an_error(cut: int) -> None:
    """A truncated body may lack data that was meant to be sent."""
    unpacker = Unpacker("gzip")
    list(unpacker.pieces(gzip.compress(b"all of it")[:cut]))

    assert (cut == 0) == unpacker.whole


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_body_with_a_wrong_content_encoding_is_refused(encoding: str) -> None:
    """It is refused as an unreadable body."""
    with pytest.raises(web.RequestPayloadError):
        list(Unpacker(encoding).pieces(b"not packed at all"))


async def test_unread_body_is_not_decompressed(open_house: OpenHouse) -> None:
    """Even an invalid body does no harm: the next request on the connection is answered."""
    house = await open_house()
    packed = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"
    answered = await send_raw(house.port, packed + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert 404 == status_of(answered)
    assert b"HTTP/1.1 200 OK" in answered


async def test_unknown_content_encoding_is_named(house: House, http: aiohttp.ClientSession) -> None:
    """The error has the shape that flag clients understand."""
    answer = await http.post(
        f"{house.url}/ofrep/v1/evaluate/flags",
        data=b"{}",
        headers={"Authorization": "Bearer read-token-for-tests", "Content-Encoding": "br"},
    )
    said = await answer.json()

    assert (415, "PARSE_ERROR") == (answer.status, said["errorCode"])
    assert "'br'" in said["errorDetails"]
