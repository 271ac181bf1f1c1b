"""The Unix socket beside the port: who may connect to its file reads without a token, and nobody else does."""

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


async def test_readers_on_the_socket_need_no_token(open_house: OpenHouse, file: SocketFile) -> None:
    """The file's mode has let them in already."""
    await open_house(beside=file, read_tokens=(READ,))
    async with over(file) as client:
        assert [(path, 200) for _, path in READS] == [(path, (await client.request(how, path)).status) for how, path in READS]


async def test_the_port_still_asks_for_a_token_beside_a_socket(
    open_house: OpenHouse, file: SocketFile, http: aiohttp.ClientSession
) -> None:
    """The choice is for the file alone."""
    house = await open_house(beside=file)
    assert [403] * len(READS) == [(await http.request(how, house.url + path)).status for how, path in READS]


@pytest.mark.parametrize(("sent", "status"), [({}, 401), (headers(CONTROL), 200)])
async def test_changes_on_the_socket_need_a_control_token(
    open_house: OpenHouse, file: SocketFile, sent: dict[str, str], status: int
) -> None:
    """Reading is what was opened."""
    await open_house(beside=file, control_tokens=(CONTROL,))
    async with over(file) as client:
        declared = await client.post("/api/v1/incidents", headers=sent, json={"title": "Chat is slow"})
        assert status == declared.status


@pytest.mark.parametrize("sent", [{"X-Forwarded-For": "192.0.2.7"}, {"Via": "1.1 proxy"}, {"Host": "status.example.com"}])
async def test_what_a_proxy_brings_to_the_socket_needs_a_token(
    open_house: OpenHouse, file: SocketFile, sent: dict[str, str]
) -> None:
    """Whoever asks the proxy has not been let in by the file."""
    await open_house(beside=file, read_tokens=(READ,))
    async with over(file) as client:
        assert 401 == (await client.get("/api/v1/flags", headers=sent)).status


@pytest.mark.parametrize(("access", "mode"), list(MODES.items()))
async def test_the_file_has_the_mode_that_was_chosen(tmp_path: Path, access: str, mode: int) -> None:
    """Whatever the umask of whoever started the bot."""
    house = House()
    await house.open(beside=socket_file(str(tmp_path / "read.sock"), access))
    assert mode == stat.S_IMODE((tmp_path / "read.sock").stat().st_mode)
    await house.close()


async def test_the_file_goes_with_the_bot(file: SocketFile) -> None:
    """Nobody waits at a socket behind which there is nobody."""
    house = House()
    await house.open(beside=file)
    await house.close()
    assert not file.path.exists()


async def test_a_killed_bots_socket_is_replaced(open_house: OpenHouse, file: SocketFile) -> None:
    """A crash needs no cleaning up by hand."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(file.path))
    await open_house(beside=file)
    async with over(file) as client:
        assert 200 == (await client.get("/api/v1/flags")).status


async def test_a_socket_of_another_program_is_left_alone(open_house: OpenHouse, file: SocketFile) -> None:
    """The second bot says so, frees its port, and the first one serves on."""
    await open_house(beside=file)
    second = House()
    with pytest.raises(WebError, match=r"read\.sock: another program already does.*server\.socket to another path"):
        await second.open(beside=file)
    async with over(file) as client:
        assert 200 == (await client.get("/api/v1/flags")).status


async def test_a_file_of_another_kind_is_left_alone(file: SocketFile) -> None:
    """A mistyped path costs nobody their file."""
    file.path.write_text("ours", encoding="utf-8")
    with pytest.raises(WebError, match="a file of another kind stands there"):
        await House().open(beside=file)
    assert "ours" == file.path.read_text(encoding="utf-8")


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """At start, with what to do."""
    with pytest.raises(WebError, match=r"No such file or directory\. Set server\.socket to a free path"):
        await House().open(beside=SocketFile(tmp_path / "none" / "read.sock", 0o600))
