"""Signatures between Understudies: HMAC-SHA256 over `timestamp.body`, valid for five minutes. Pure.

The timestamp is signed, so that nobody can make an old message fresh; the receiver remembers a message's id while it is fresh,
so that nobody can replay it.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

TIMESTAMP_HEADER = "x-understudy-timestamp"
SIGNATURE_HEADER = "x-understudy-signature"
FRESH_FOR = timedelta(minutes=5)  # clocks differ, and a message may be retried; a replay has this long

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})", re.ASCII)


def sign(secret: str, body: bytes, at: datetime) -> Mapping[str, str]:
    """The two headers that prove that a holder of `secret` wrote `body` at that time; ValueError for an empty secret."""
    if not secret:
        raise ValueError("nothing can be signed with an empty secret")
    timestamp = str(int(at.timestamp()))
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: f"v1={_digest(secret, timestamp, body)}"}


def distrust_headers(timestamp: str, signature: str, now: datetime) -> str:
    """Why a message cannot be trusted whatever its body is; empty if the body decides. Saves reading strangers' bodies."""
    if not timestamp or not signature:
        return f"It is not signed: {TIMESTAMP_HEADER} and {SIGNATURE_HEADER} are needed"
    if not _TIMESTAMP.fullmatch(timestamp):
        return f"{TIMESTAMP_HEADER} is not a time in whole seconds since 1970"
    if not _SIGNATURE.fullmatch(signature):
        return f"{SIGNATURE_HEADER} is not v1= and 64 hexadecimal digits"
    off_s = int(timestamp) - int(now.timestamp())
    if abs(off_s) > FRESH_FOR.total_seconds():
        how = "ahead of" if off_s > 0 else "behind"
        return f"Its time is more than {FRESH_FOR.seconds // 60} minutes {how} ours; compare the two clocks"
    return ""


def distrust(secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> str:
    """Why a message is not trusted, as a sentence without full stop; empty if it is fresh and its sender has the secret.

    An empty secret trusts nobody, after as much work as any other. The comparison takes constant time.
    """
    trouble = distrust_headers(timestamp, signature, now)
    if trouble:
        return trouble
    same = hmac.compare_digest(signature, f"v1={_digest(secret, timestamp, body)}")
    return "" if same and secret else "It is not signed with the secret that we share with this peer"


def _digest(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()
