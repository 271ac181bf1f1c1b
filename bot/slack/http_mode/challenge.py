"""Sends ourselves the challenge that Slack sends for a new request URL: does it lead to this bot?"""

import json
import secrets
from time import time

import aiohttp
from slack_sdk.signature import SignatureVerifier

from bot.slack.client import proxy_for

WITHIN_S = 5.0


async def prove_request_url(url: str, signing_secret: str, *, within_s: float = WITHIN_S) -> tuple[str, str]:
    """`good`, `note` (unknown) or `bad`, and the sentence. Never raises."""
    challenge = secrets.token_hex(16)
    body = json.dumps({"type": "url_verification", "challenge": challenge})
    timestamp = str(int(time()))
    headers = {
        "Content-Type": "application/json", "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": str(SignatureVerifier(signing_secret).generate_signature(timestamp=timestamp, body=body)),
    }  # fmt: skip
    patience = aiohttp.ClientTimeout(total=within_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=patience) as session,
            session.post(url, data=body, headers=headers, proxy=proxy_for(url), allow_redirects=False) as answer,
        ):
            status, said = answer.status, await answer.content.read(10_000)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return "note", f"nobody answers at {url} ({type(error).__name__}): ask again while the bot runs"
    if status == 200 and challenge.encode() in said:
        return "good", f"{url} answers Slack's challenge with this signing secret"
    if status == 401:
        return (
            "bad",
            f"{url} refuses what is signed with this slack.signing_secret: restart the bot there, or compare the clocks",
        )
    return "bad", f"{url} answers HTTP {status} and not the challenge: does the proxy hand POST {url} on to this bot?"
