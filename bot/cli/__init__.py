"""The terminal face; its verbs are in `verbs`. Here only what must stand before the second that loading them takes."""

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
    """While modules load, Ctrl-C ends the program at once and silently, where Python would print a traceback."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else somebody wants it ignored, as nohup does
    if usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # what is loaded stays: to look through it for garbage again and again is a tenth of that second
    try:
        yield
    finally:
        gc.freeze()  # nor is it looked through later
        gc.enable()
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)
