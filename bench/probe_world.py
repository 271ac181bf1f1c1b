"""What the probe benchmark stands between: nginx as the target, blackbox_exporter as the one to beat, a CA for both."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import trustme

from bot.system.clock import SystemClock

READY_S = 10.0
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  default_type application/json;
  server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl; location / {{ return 200 '{body}'; }} }}
}}
"""
BODY = '{"data":[{"id":"model-one","type":"model"},{"id":"model-two","type":"model"}],"has_more":false}'
BLACKBOX = """
modules:
  http_2xx:
    prober: http
    timeout: 10s
    http:
      preferred_ip_protocol: ip4
      tls_config:
        ca_file: {folder}/ca.pem
"""


@dataclass(frozen=True)
class Target:
    """The same small JSON answer with and without TLS; `authority` is the CA's file."""

    plain: str
    tls: str
    authority: str


@dataclass(frozen=True)
class Blackbox:
    """A running exporter."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """CPU seconds that its threads have used, by the scheduler's own count, in nanoseconds."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def program(*names: str) -> str | None:
    """The first of these programs that this machine has; Debian keeps servers out of people's path."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def pinned(core: int) -> list[str]:
    """The words that keep a program on one core, where there is more than one and somebody to say it to."""
    taskset = program("taskset")
    return [taskset, "-c", str(core)] if taskset and (os.cpu_count() or 1) > 1 else []


@contextmanager
def target(folder: Path, nginx: str, core: int | None, *, first: bool = False) -> Iterator[Target]:
    """nginx, on that core if there is one, with TLS 1.3 and a certificate (ECDSA P-256) for localhost.

    As vendors do, it sends the certificate along that stands between its own and the authority. With `first` it runs before all
    else.
    """
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    between = authority.create_child_ca(key_type=trustme.KeyType.ECDSA)
    issued = between.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    plain, tls = _free_port(), _free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, plain=plain, tls=tls, body=BODY), encoding="utf-8")
    chrt = program("chrt") if first and os.geteuid() == 0 else None
    before = [chrt, "-f", "50"] if chrt else []
    command = [*before, *(pinned(core) if core is not None else []), nginx, "-e", str(folder / "nginx.log"), "-c", str(config)]
    with _running(command, {}, f"http://127.0.0.1:{plain}/"):
        # By address, so that nobody gains by remembering a name.
        yield Target(f"http://127.0.0.1:{plain}/", f"https://127.0.0.1:{tls}/", str(folder / "ca.pem"))


@contextmanager
def blackbox(folder: Path, exporter: str, core: int) -> Iterator[Blackbox]:
    """blackbox_exporter, limited to the one core that the other probers get."""
    config = folder / "blackbox.yml"
    config.write_text(BLACKBOX.format(folder=folder), encoding="utf-8")
    url = f"http://127.0.0.1:{_free_port()}"
    address = url.removeprefix("http://")
    command = [*pinned(core), exporter, f"--config.file={config}", f"--web.listen-address={address}", "--log.level=error"]
    with _running(command, {"GOMAXPROCS": "1"}, f"{url}/-/healthy") as process:
        yield Blackbox(url, process.pid)


@contextmanager
def _running(command: list[str], environment: dict[str, str], url: str) -> Iterator["subprocess.Popen[bytes]"]:
    with ExitStack() as stack:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        _wait_for(url, process)
        yield process


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    clock = SystemClock()
    until = clock.monotonic() + READY_S
    while True:
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            if process.poll() is not None or clock.monotonic() > until:
                raise
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
