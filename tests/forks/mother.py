"""A process that has loaded the bot and forks for each start it is asked for: `python -m tests.forks.mother SOCKET`.

A request is one packet of JSON, see `tests.forks.Start`, with three files: for output, for errors, and a pipe that is told the
number of the process and, when it ended, its exit status. Ends, and whatever it started with it, when nobody can ask any more.
"""

import gc
import importlib
import json
import os
import resource
import runpy
import selectors
import signal
import socket
import sys
import time
from typing import Any

LOADED = ("bot.cli.verbs", "bot.cli.run", "bot.cli.config", "bot.cli.incident", "bot.cli.page", "bot.cli.doctor")

MOST_FILES = 4096  # open at once in a mother, and by far


def serve(asked: socket.socket) -> dict[str, Any] | None:
    """Fork for each request; what to be is returned in each process that came of it, and None in this one at the end."""
    children: dict[int, int] = {}  # -> the pipe that is told
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever runs the tests, who ends us by ending
    with selectors.DefaultSelector() as both:
        both.register(asked, selectors.EVENT_READ)
        both.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in both.select():
                if key.fileobj is asked:
                    data, files, _, _ = socket.recv_fds(asked, 1 << 20, 3)
                    if not data:
                        for pid in children:
                            os.kill(pid, signal.SIGKILL)
                        return None
                    pid = os.fork()
                    if pid == 0:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        signal.signal(signal.SIGINT, signal.default_int_handler)
                        return {**json.loads(data), "files": files[:2]}
                    os.write(files[2], f"{pid}\n".encode())
                    children[pid] = files[2]
                    os.close(files[0])
                    os.close(files[1])
                else:
                    os.read(woken, 4096)
                    bury(children)


def bury(children: dict[int, int]) -> None:
    """Tell how those ended that did."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        told = children.pop(pid)
        try:
            os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        except BrokenPipeError:
            pass  # nobody wants to know any more
        os.close(told)


def become(what: dict[str, Any]) -> None:
    """Be a process that was just started."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, *what["files"])):
        os.dup2(file, number)
    os.closerange(3, MOST_FILES)
    os.chdir(what["cwd"])
    os.environ.clear()
    os.environ.update(what["env"])
    time.tzset()
    if what["file_bytes"] is not None:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (what["file_bytes"], most))
    if what["open_files"] is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (what["open_files"], what["open_files"]))
    sys.argv = [what["script"], *what["args"]]
    sys.path[0] = what["cwd"]


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as ours:
        for name in LOADED:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()
        wanted = serve(ours)
    if wanted is not None:
        become(wanted)
        if wanted["script"]:
            runpy.run_path(wanted["script"], run_name="__main__")
        else:
            runpy.run_module("bot.cli", run_name="__main__", alter_sys=True)
