"""The Unix socket beside the port: the file's permissions replace the read token, for nobody else."""

import socket
import stat
from pathlib import Path

import aiohttp
import pytest
from web_house import CONTROL, READ, House, OpenHouse, headers

from bot.web.app import WebError
from bot.web.server.unix_socket import MODES, SocketFile, socket_file

READS = [
    ("GET", "/"), ("GET", "/metrics"), ("GET", "/api/v1/status"), ("GET", "/api/v1/flags"),
    ("POST", "/ofrep/v1/evaluate/flags"), ("POST", "/ofrep/v1/evaluate/flags/on"),
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> SocketFile:
    found = socket_file(str(tmp_path / "read.sock"), "owner")
    assert found is not None
    return found


def over(file: SocketFile) -> aiohttp.ClientSession:
    return aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(str(file.path)))


async def test_reading_over_the_socket_needs_no_token(open_house: OpenHouse, file: SocketFile) -> None:
    """The file's mode has already authorised the client."""
    await open_house(beside=file, read_tokens=(READ,))
    async with over(file) as client:
        assert [(path, 200) for _, path in READS] == [(path, (await client.request(how, path)).status) for how, path in READS]


async def test_port_still_needs_a_token_beside_a_socket(
    open_house: OpenHouse, file: SocketFile, http: aiohttp.ClientSession
) -> None:
    """The setting applies to the socket only."""
    house = await open_house(beside=file)
    assert [403] * len(READS) == [(await http.request(how, house.url + path)).status for how, path in READS]


@pytest.mark.parametrize(("sent", "status"), [({}, 401), (headers(CONTROL), 200)])
async def test_changing_over_the_socket_needs_a_control_token(
    open_house: OpenHouse, file: SocketFile, sent: dict[str, str], status: int
) -> None:
    """The socket opens reading only."""
    await open_house(beside=file, control_tokens=(CONTROL,))
    async with over(file) as client:
        declared = await client.post("/api/v1/incidents", headers=sent, json={"title": "Chat is slow"})
        assert status == declared.status


@pytest.mark.parametrize("sent", [{"X-Forwarded-For": "192.0.2.7"}, {"Via": "1.1 proxy"}, {"Host": "status.example.com"}])
async def test_proxied_request_over_the_socket_needs_a_token(
    open_house: OpenHouse, file: SocketFile, sent: dict[str, str]
) -> None:
    """The file's mode authorised the proxy, not the proxy's clients."""
    await open_house(beside=file, read_tokens=(READ,))
    async with over(file) as client:
        assert 401 == (await client.get("/api/v1/flags", headers=sent)).status


@pytest.mark.parametrize(("access", "mode"), list(MODES.items()))
async def test_socket_has_the_configured_mode(tmp_path: Path, access: str, mode: int) -> None:
    """The umask of the process does not change it."""
    house = House()
    await house.open(beside=socket_file(str(tmp_path / "read.sock"), access))
    assert mode == stat.S_IMODE((tmp_path / "read.sock").stat().st_mode)
    await house.close()


async def test_socket_is_removed_when_the_bot_stops(file: SocketFile) -> None:
    """Nobody should wait at a socket that no process serves."""
    house = House()
    await house.open(beside=file)
    await house.close()
    assert not file.path.exists()


async def test_socket_of_a_killed_bot_is_replaced(open_house: OpenHouse, file: SocketFile) -> None:
    """A crash needs no manual cleanup."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(file.path))
    await open_house(beside=file)
    async with over(file) as client:
        assert 200 == (await client.get("/api/v1/flags")).status


async def test_socket_of_another_program_is_left_alone(open_house: OpenHouse, file: SocketFile) -> None:
    """The second bot reports it and frees its port, and the first program keeps serving."""
    await open_house(beside=file)
    second = House()
    with pytest.raises(WebError, match=r"read\.sock: another program already does.*server\.socket to another path"):
        await second.open(beside=file)
    async with over(file) as client:
        assert 200 == (await client.get("/api/v1/flags")).status


async def test_file_that_is_no_socket_is_left_alone(file: SocketFile) -> None:
    """A mistyped path must not delete a file."""
    file.path.write_text("ours", encoding="utf-8")
    with pytest.raises(WebError, match="a file of another kind stands there"):
        await House().open(beside=file)
    assert "ours" == file.path.read_text(encoding="utf-8")


async def test_missing_folder_is_named(tmp_path: Path) -> None:
    """At start, with the remedy."""
    with pytest.raises(WebError, match=r"No such file or directory\. Set server\.socket to a free path"):
        await House().open(beside=SocketFile(tmp_path / "none" / "read.sock", 0o600))
