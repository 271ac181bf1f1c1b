"""Bodies that come packed: unpacked as far as somebody reads them, and by nobody else."""

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
def test_what_was_packed_comes_out_in_pieces(way: str, data: bytes, cuts: list[int]) -> None:
    """However it is packed, and wherever it is cut on its way."""
    packed, unpacker, found = WAYS[way](data), Unpacker(way.partition(",")[0]), []
    for cut in [*cuts, len(packed)]:
        found += unpacker.pieces(packed[:cut])
        packed = packed[cut:]

    assert (data, True) == (b"".join(found), unpacker.whole)
    assert all(len(piece) <= PIECE_BYTES for piece in found)


@pytest.mark.parametrize("size", [PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 1])
def test_what_is_left_inside_comes_out_at_the_end(size: int) -> None:
    """All that was sent is taken in, and a last byte of it not out yet."""
    unpacker = Unpacker("deflate")

    assert size == sum(map(len, unpacker.pieces(bare(bytes(size)))))
    assert unpacker.whole


def test_of_a_bomb_no_more_is_unpacked_than_is_read() -> None:
    """A thousandth of it is enough to know that it is too large."""
    bomb = Unpacker("gzip").pieces(gzip.compress(bytes(64 * 1024 * 1024)))

    assert [PIECE_BYTES] * 2 == [len(piece) for piece in islice(bomb, 2)]


def test_one_packed_stream_may_follow_another() -> None:
    """That is one file to gzip."""
    assert b"onetwo" == b"".join(Unpacker("gzip").pieces(gzip.compress(b"one") + gzip.compress(b"two")))


def test_padding_behind_the_stream_is_passed_over() -> None:
    """Some add it."""
    assert b"one" == b"".join(Unpacker("gzip").pieces(gzip.compress(b"one") + bytes(9)))


@pytest.mark.parametrize("cut", [0, 1, 5, -1])
def test_what_lacks_its_end_is_not_whole(cut: int) -> None:
    """A body that was cut off says less than was meant."""
    unpacker = Unpacker("gzip")
    list(unpacker.pieces(gzip.compress(b"all of it")[:cut]))

    assert (cut == 0) == unpacker.whole


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_not_packed_as_it_says_is_refused(encoding: str) -> None:
    """As a body that cannot be read."""
    with pytest.raises(web.RequestPayloadError):
        list(Unpacker(encoding).pieces(b"not packed at all"))


async def test_a_body_that_nobody_reads_is_not_unpacked(open_house: OpenHouse) -> None:
    """It need not even be packed: what is asked next on the same connection is answered."""
    house = await open_house()
    packed = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"
    answered = await send_raw(house.port, packed + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert 404 == status_of(answered)
    assert b"HTTP/1.1 200 OK" in answered


async def test_a_packing_that_is_not_known_is_named(house: House, http: aiohttp.ClientSession) -> None:
    """In the shape that clients of flags understand."""
    answer = await http.post(
        f"{house.url}/ofrep/v1/evaluate/flags",
        data=b"{}",
        headers={"Authorization": "Bearer read-token-for-tests", "Content-Encoding": "br"},
    )
    said = await answer.json()

    assert (415, "PARSE_ERROR") == (answer.status, said["errorCode"])
    assert "'br'" in said["errorDetails"]
