"""No twelve characters of a secret remain, however a vendor encodes it and wherever the text was cut."""

import base64
import hashlib
import html
import json
import string
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Actor, Level, Outcome, Sample, Verdict
from bot.core.signals import Acknowledge, Alerted, VerdictReached
from bot.exports.markdown import md
from bot.system.redaction import HIDDEN, TOKENS, Redactor
from bot.system.secret_forms import RUN

KEY = "sq-Live_9aB3xQ7/tR+w2ZkP0mVd"
SECRETS = st.text(string.ascii_letters + string.digits + "-_.~+/=!$%&\"'\\<> é", min_size=12, max_size=60).filter(
    lambda text: (
        text == text.strip() and any(char.isdigit() for char in text) and len(set(text)) >= 8 and len(text.split()) <= 3
    )
)
AROUND = st.text(max_size=30)


def every(template: str) -> Callable[[str], str]:
    """Encode each character by its code."""
    return lambda secret: "".join(template.format(ord(char)) for char in secret)


def b64(before: bytes, *, url: bool) -> Callable[[str], str]:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return lambda secret: encode(before + secret.encode() + b"}").decode()


def wrapped(width: int, between: str) -> Callable[[str], str]:
    """Break into lines or groups."""
    return lambda text: between.join(text[at : at + width] for at in range(0, len(text), width))


def b64_twice(inner: bytes, outer: bytes, *, url: bool = False) -> Callable[[str], str]:
    return lambda secret: b64(outer, url=url)(b64(inner, url=url)(secret))


def percent(secret: str) -> str:
    return "".join(f"%{byte:02x}" for byte in secret.encode())


WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "lower case": str.lower,
    "upper case": str.upper,
    "swapped case": str.swapcase,
    "quoted": quote,
    "quoted whole": lambda secret: quote(secret, safe=""),
    "quoted twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "quoted three times": lambda secret: quote(quote(quote(secret, safe=""), safe=""), safe=""),
    "every byte quoted": percent,
    "every byte quoted twice": lambda secret: percent(percent(secret)),
    "64 of 64": b64_twice(b"", b""),
    "64 of 64 for URLs": b64_twice(b":", b"a:", url=True),
    "64 of 64 after two": b64_twice(b"a:", b":"),
    "64 of hex": lambda secret: base64.b64encode(secret.encode().hex().encode()).decode(),
    "hex of 64": lambda secret: base64.b64encode(secret.encode()).hex(),
    "UTF-16": lambda secret: secret.encode("utf-16-le").decode("latin-1"),
    "UTF-16, high byte first": lambda secret: secret.encode("utf-16-be").decode("latin-1"),
    "UTF-16 quoted": lambda secret: quote(secret.encode("utf-16-le"), safe=""),
    "UTF-16 in JSON": lambda secret: json.dumps(secret.encode("utf-16-le").decode("latin-1"))[1:-1],
    "UTF-16 in hex": lambda secret: secret.encode("utf-16-le").hex(),
    "UTF-16 in 64": lambda secret: base64.b64encode(secret.encode("utf-16-le")).decode().rstrip("="),
    "UTF-16, high byte first, in 64": lambda secret: base64.b64encode(secret.encode("utf-16-be")).decode().rstrip("="),
    "in groups of four": wrapped(4, " "),
    "over two lines": wrapped(11, "\n"),
    "folded like a header": wrapped(9, "\r\n\t"),
    "lines in JSON": wrapped(10, "\\n"),
    "lines quoted": wrapped(10, "%0D%0A"),
    "64 in short lines": lambda secret: wrapped(8, "\n")(base64.b64encode(secret.encode()).decode()),
    "hex in short lines": lambda secret: wrapped(8, "\n")(secret.encode().hex()),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[1:-1],
    "JSON with slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "unicode escapes": every("\\u{:04x}"),
    "upper-case unicode escapes": every("\\u{:04X}"),
    "byte escapes": every("\\x{:02x}"),
    "HTML": html.escape,
    "Markdown": md,
    "HTML numbers": every("&#{};"),
    "HTML hex": every("&#x{:x};"),
    "base64": b64(b"", url=False),
    "base64 after one": b64(b":", url=False),
    "base64 after two": b64(b"a:", url=False),
    "base64 for URLs": b64(b"", url=True),
    "base64 for URLs after one": b64(b":", url=True),
    "base64 for URLs after two": b64(b"a:", url=True),
    "hex": lambda secret: secret.encode().hex(),
    "upper-case hex": lambda secret: secret.encode().hex().upper(),
    "hex with colons": lambda secret: secret.encode().hex(":"),
    "base32": lambda secret: base64.b32encode(secret.encode()).decode().rstrip("="),
    "base32 after two": lambda secret: base64.b32encode(b"a:" + secret.encode()).decode().rstrip("="),
    "base32hex": lambda secret: base64.b32hexencode(secret.encode()).decode().rstrip("="),
    "base32hex after one": lambda secret: base64.b32hexencode(b":" + secret.encode()).decode().rstrip("="),
    "base32hex in lower case": lambda secret: base64.b32hexencode(b"key:" + secret.encode()).decode().rstrip("=").lower(),
    "octal escapes": every("\\{:03o}"),
    "unseen characters between": "\u200b".join,
    "soft hyphens between": "\u00ad".join,
    "sha384": lambda secret: hashlib.sha384(secret.encode()).hexdigest(),
    "md5": lambda secret: hashlib.md5(secret.encode(), usedforsecurity=False).hexdigest(),
    "sha1": lambda secret: hashlib.sha1(secret.encode(), usedforsecurity=False).hexdigest(),
    "sha256": lambda secret: hashlib.sha256(secret.encode()).hexdigest(),
    "sha512": lambda secret: hashlib.sha512(secret.encode()).hexdigest(),
    "sha256 of a line": lambda secret: hashlib.sha256(f"{secret}\n".encode()).hexdigest(),
}  # fmt: skip
PLAIN = (
    "as it is",
    "lower case",
    "upper case",
    "swapped case",
    "hex",
    "upper-case hex",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "sha256 of a line",
)


def runs(text: str) -> set[str]:
    folded = "".join(text.lower().split())
    return {folded[at : at + RUN] for at in range(len(folded) - RUN + 1)}


@given(SECRETS, st.sampled_from(sorted(WAYS)), AROUND, AROUND, st.data())
def test_no_part_of_a_secret_remains(secret: str, way: str, before: str, after: str, data: st.DataObject) -> None:
    """Encoded, embedded, and cut at both ends."""
    written = WAYS[way](secret)
    whole = before + written + after
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    told = Redactor([secret]).text(whole[start:end])
    alone = written if way in PLAIN else written[4:-6] if "base64" in way else ""

    assert set() == runs(told) & (runs(alone) | runs(secret) if way != "HTML" else runs(secret)) - runs(HIDDEN + before + after)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_every_encoding_of_a_secret_is_redacted(way: str) -> None:
    """In the middle of a vendor's sentence, which stays."""
    told = Redactor([KEY]).text(f'{{"message": "{WAYS[way](KEY)} is not valid"}}')

    assert told.startswith('{"message": "')
    assert told.endswith(' is not valid"}')
    mixed = 16 if way.startswith("64 of 64") else 8  # characters that base64 mixes with its neighbours
    assert len(told) <= len('{"message": " is not valid"}') + len(HIDDEN) + mixed


@pytest.mark.parametrize("mark", "\\`*_[]<>|#~&")
def test_no_mark_of_markdown_hides_a_secret_from_us(mark: str) -> None:
    """Each is escaped in a table of an export."""
    secret = mark.join("s3cret9Key")

    assert f"a {HIDDEN} b" == Redactor([secret]).text(md(f"a {secret} b"))


@pytest.mark.parametrize("text", [
    "the production api key is wrong", "https://hooks.slack.com/services/ is refused", "aaaaaaaaaaaaaaaaaaaaaaaa",
    "correct horse", "anthropic.api is down: HTTP 502 after 40 ms",
])  # fmt: skip
def test_ordinary_words_stay(text: str) -> None:
    """A secret that is made of words hides as a whole only; so does one letter over and over."""
    secrets = [
        "production-api-token",
        "https://hooks.slack.com/services/T0123ABC/B0456DEF/x9YzQ4",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ]

    assert text == Redactor(secrets).text(text)


@pytest.mark.parametrize(
    ("url", "said", "told"),
    [
        (
            "https://hooks.slack.com/services/T0123ABC/x9YzQ4vv",
            "x9yzq4vv at hooks.slack.com",
            "[secret] at hooks.slack.com",
        ),
        (
            "json://ana:hunter@pager7.test/hook",
            "HUNTER of ana at pager7.test",
            "[secret] of ana at pager7.test",
        ),
        ("slack://A1b2C3d4E5/F6g7H8i9/#ops", "a1b2c3d4e5 is refused", "[secret] is refused"),
        ("https://x.test/?api-version=1&sig=Zz91kQ55mm", "sig was Zz91kQ55mm", "sig was [secret]"),
    ],
)
def test_an_address_hides_what_is_not_public(url: str, said: str, told: str) -> None:
    """Tokens in its path, its query or in place of a host, and passwords; never the host."""
    assert told == Redactor([url]).text(said)


def test_short_secret_hides_as_a_whole_and_encoded() -> None:
    """A password of eight letters, also as basic authentication sends it."""
    redact = Redactor(["hunter22"])

    assert f"was {HIDDEN}, not hunter2" == redact.text("was HUNTER22, not hunter2")
    assert "aHVudGVyMj" not in redact.text(base64.b64encode(b"hunter22").decode())


def test_words_of_a_signal_are_cleaned_and_its_names_kept() -> None:
    """A component may be called like a careless password."""
    verdict = Verdict("openai.api", Level.DOWN, f"wrong key {KEY}", evidence=(f"excerpt {KEY.lower()}", "status 401"))
    signal = VerdictReached(actor=Actor.rule("detector"), verdict=verdict)
    told = Redactor(["openai", KEY]).words(signal)

    assert ("openai.api", f"wrong key {HIDDEN}") == (told.verdict.component, told.verdict.reason)
    assert (f"excerpt {HIDDEN}", "status 401") == told.verdict.evidence


def test_key_of_a_foreign_alert_is_cleaned() -> None:
    """Labels of another monitor, made into a key, may hold what was sent."""
    heard = Alerted(actor=Actor.operator("grafana"), source=f"g {KEY}", key=f"token={KEY}", component="a.b", state="firing")
    told = Redactor([KEY]).words(heard)

    assert (f"token={HIDDEN}", f"g {HIDDEN}", "a.b") == (told.key, told.source, told.component)


def test_twelve_characters_in_a_row_are_too_many() -> None:
    """Wherever in it they stand; eleven may be chance."""
    redact = Redactor([KEY])
    assert [HIDDEN] * (len(KEY) - 11) == [redact.text(KEY[at : at + 12]) for at in range(len(KEY) - 11)]
    assert "b3xQ7/tR+w2" == redact.text("b3xQ7/tR+w2")


def test_secret_beyond_ascii_is_hidden_as_percent_escapes_write_it() -> None:
    """Byte by byte, so that undoing them does not give its letters back."""
    secret = "pässwörd-9aB3xQ7tR"

    assert f"a={HIDDEN}" == Redactor([secret]).text(f"a={quote(secret)}")


def test_token_that_was_sent_as_a_name_is_cleaned() -> None:
    """Somebody swaps two headers: the timeline must not name the token as who did it."""
    told = Redactor([KEY]).words(Acknowledge(actor=Actor.operator(KEY), incident=1))

    assert Actor.operator(HIDDEN) == told.actor


def test_what_holds_no_secret_stays_the_same_object() -> None:
    """Nothing is copied in the usual case."""
    signal = VerdictReached(actor=Actor.rule("detector"), verdict=Verdict("a.b", Level.DOWN, "HTTP 502"))

    assert signal is Redactor([KEY]).words(signal)


@pytest.mark.parametrize("before", range(RUN))
def test_twelve_characters_are_found_wherever_in_a_text_they_begin(before: int) -> None:
    """A text is looked at in steps; none of them leaps over a run."""
    assert "_" * before + HIDDEN == Redactor([KEY]).text("_" * before + KEY[4:16])


def test_two_secrets_without_anything_between_them_are_hidden_as_one() -> None:
    """Who reads it sees that something was taken out, once."""
    assert f"a{HIDDEN}b" == Redactor([KEY, "zZ81-vP44kkQe90x"]).text(f"a{KEY}zZ81-vP44kkQe90xb")


def test_names_of_fields_are_cleaned_like_what_they_hold() -> None:
    """A vendor echoes the key as the name of a field: neither the log nor an export shows it."""
    redact = Redactor([KEY])

    assert {HIDDEN: {HIDDEN: 1}} == redact(None, "info", {KEY: {KEY: 1}})


@pytest.mark.parametrize(("width", "before"), [(64, 40), (76, 49)])
def test_secret_across_the_lines_of_a_wrapped_attachment_is_hidden(width: int, before: int) -> None:
    """As PEM and mail wrap base64: neither line keeps enough of it to be found alone."""
    whole = base64.b64encode(b"-" * before + KEY[:16].encode() + b"-" * 30).decode()
    told = Redactor([KEY[:16]]).text(wrapped(width, "\n")(whole))

    assert set() == runs(told) & runs(base64.b64encode(b"\0" * before + KEY[:16].encode()).decode().strip("A="))


@pytest.mark.parametrize("text", ["correct\nhorse battery\n  staple", "correct horse\\nbattery staple"])
def test_passphrase_that_was_wrapped_is_hidden(text: str) -> None:
    """It hides as a whole only, wherever the line ends in it."""
    assert HIDDEN == Redactor(["correct horse battery staple"]).text(text)


def test_words_around_a_wrapped_secret_stay() -> None:
    """Its lines go, with what breaks them; the sentence and its own blanks do not."""
    told = Redactor([KEY]).text(f"The key\n{KEY[:9]}\n{KEY[9:]}\nis wrong, all of it.")

    assert f"The key\n{HIDDEN}\nis wrong, all of it." == told


LINES = st.lists(
    st.sampled_from(
        [
            "a note\n", "\n", "x" * 90 + "\n", "Authorization: Bearer\n", "bearer \n\n", "abcdef0123456789\n",
            "sk-abcdefgh01\r\n", "r\n",
        ]
    ),
    min_size=300, max_size=500,
)  # fmt: skip


@given(st.lists(LINES, min_size=1, max_size=3))
def test_token_in_a_long_text_is_hidden_wherever_it_stands(blocks: list[list[str]]) -> None:
    """A long text is looked through part by part: no token may stand across two of them."""
    text = "".join("".join(block) * 4 for block in blocks)

    assert TOKENS.sub(HIDDEN, text) == Redactor(()).text(text)


def test_a_secret_in_many_results_is_hidden_in_each_of_them() -> None:
    """Texts that hold none are looked through once; one that holds one is never taken for such a text."""
    redactor = Redactor(["correct-horse-battery"])
    at = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
    samples = [
        Sample("p.c.k", "p.c", at, Outcome.FAIL, reason="HTTP 500 after 3 ms", evidence={"body": body})
        for body in ("sorry", "correct-horse-battery", "sorry", "correct-horse-battery")
    ]

    assert ["sorry", "[secret]"] * 2 == [redactor.sample(sample).evidence["body"] for sample in samples]


@pytest.mark.parametrize("cut", ["production-k", "uction-keys-", "duction-lock", "tion-locks-b"])
def test_of_secrets_that_begin_alike_each_is_found(cut: str) -> None:
    """By twelve characters of either: a run of six that stands in both leads to both."""
    redact = Redactor(["production-keys-a1b2c3", "production-locks-b4c5d6"])

    assert HIDDEN == redact.text(cut)


def test_what_is_known_of_fifty_secrets_is_held_in_a_few_megabytes() -> None:
    """A bot has dozens of tokens and keys, each in many encodings: with an object for each piece of them it was twice that."""
    tokens = [f"xoxb-{number:04}12345-AbCdEfGhIjKl{number:04}mNoPqRsTuVwXyZ" for number in range(50)]
    tracemalloc.start()
    try:
        Redactor(tokens)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 8_000_000 > most
