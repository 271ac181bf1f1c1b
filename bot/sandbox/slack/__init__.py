"""A strict local Slack workspace over real HTTP and a real websocket; see README.md."""

from bot.sandbox.slack.errors import ModalErrors, NotThere, SlackbotSays
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.person import Person
from bot.sandbox.slack.records import BOT_SCOPES, Ack, Call, Channel, CommandSpec, Message, Settings
from bot.sandbox.slack.workspace import LocalWorkspace

__all__ = [
    "BOT_SCOPES",
    "Ack",
    "Call",
    "Channel",
    "CommandSpec",
    "Faults",
    "LocalWorkspace",
    "Message",
    "ModalErrors",
    "NotThere",
    "Person",
    "Settings",
    "SlackbotSays",
]
