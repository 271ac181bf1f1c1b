"""The terminal interface; its commands are in `verbs`. Here is only what must run before loading them, which takes a second."""

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def main() -> None:
    """Run `understudy`."""
    with loading():
        from bot.cli.verbs import main as verbs
    verbs()


@contextmanager
def loading() -> Iterator[None]:
    """While modules load, Ctrl-C ends the program at once and silently, instead of with Python's traceback."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else somebody wants it ignored, as nohup does
    if usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # loaded modules are permanent: scanning them for garbage again and again takes a tenth of that second
    try:
        yield
    finally:
        gc.freeze()  # nor are they scanned later
        gc.enable()
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)
