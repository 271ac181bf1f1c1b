"""The checks that a component may have, one model per type, told apart by `type`."""

from typing import Annotated

from pydantic import Field

from bot.config.checks.base import CheckBase
from bot.config.checks.below_http import DnsCheck, HeartbeatCheck, TcpCheck, TlsCheck
from bot.config.checks.http import HttpCheck
from bot.config.checks.llm import LlmCheck

CONTROL = "control"  # the component that the control group is placed in; no provider may take this name

Check = Annotated[HttpCheck | LlmCheck | TcpCheck | TlsCheck | DnsCheck | HeartbeatCheck, Field(discriminator="type")]

CHECK_MODELS: dict[str, type[CheckBase]] = {
    "http": HttpCheck,
    "llm": LlmCheck,
    "tcp": TcpCheck,
    "tls": TlsCheck,
    "dns": DnsCheck,
    "heartbeat": HeartbeatCheck,
}
