"""The forms in which a secret may stand in a text, and what looks like one."""

import base64
import hashlib
import re
from collections.abc import Iterator

RUN = 12  # characters of a secret that may not stand anywhere
LEAST = 6  # characters of a secret; shorter ones occur by chance all over a log
LEAST_ENCODED = 8  # of an encoded form of a short one
WORDY = 3  # words; more of them are prose, of which single words count and not any run
WITH_HOST = frozenset({"http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos"})
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_", "abcdefghijklmnopqrstuvwxyz+/")


def fold(text: str) -> str:
    """The one form that text and secrets are compared in, character for character: no case, and one base64 alphabet."""
    text = text.translate(_FOLD)
    if text.isascii():
        return text
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def squeezed(text: str) -> str:
    """Without blanks and line ends: prose and what was wrapped at 4, 64 or 76 characters read alike."""
    return "".join(text.split())


def parts(secret: str) -> set[str]:
    """The secret, and those of its words that are secret by themselves (`Bearer abc...`); of an address, what is not public."""
    if "://" in secret:
        return {secret, *_of_address(secret)}
    words = secret.split()
    found = {word for word in words if len(word) >= RUN and not ordinary(word)} if len(words) > 1 else set()
    return found | {secret}


def _of_address(url: str) -> set[str]:
    """Passwords, and whatever looks secret in path, query and, where it is no host, in place of the host."""
    scheme, _, rest = url.partition("://")
    login, at, after = rest.partition("@") if "@" in rest.partition("/")[0] else ("", "", rest)
    password = login.partition(":")[2] if at else ""
    if scheme.lower() in WITH_HOST or at:
        after = after.partition("/")[2]
    pieces = [login, *re.split(r"[/?&=#;,:]", after)]
    return {one for one in pieces if looks_secret(one)} | ({password} if len(password) >= LEAST else set())


def encodings(secret: str) -> Iterator[str]:
    """What may stand in its place: encoded, hashed."""
    data = secret.encode("utf-8", "surrogatepass")
    if not secret.isascii():
        yield data.decode("latin-1")  # as percent escapes write it, byte by byte
    yield from _base64(data)
    wide = secret.encode("utf-16-le", "surrogatepass")  # with the high byte first it is the same, begun a byte earlier
    yield wide.hex()
    yield from _base64(wide)
    for encode in (base64.b32encode, base64.b32hexencode):
        for skipped in range(5):
            encoded = encode(b"\0" * skipped + data).decode("ascii")
            yield encoded[-(-skipped * 8 // 5) : (skipped + len(data)) * 8 // 5]
    yield data.hex()
    for content in (data, data + b"\n"):  # as a shell's echo hands it on
        for hashed in (hashlib.md5, hashlib.sha1, hashlib.sha224, hashlib.sha256, hashlib.sha384, hashlib.sha512):
            digest = hashed(content, usedforsecurity=False).digest()
            yield digest.hex()
            yield base64.b64encode(digest).decode("ascii").rstrip("=")


def encodings_twice(secret: str) -> Iterator[str]:
    """Encoded, and what came of it encoded again."""
    data = secret.encode("utf-8", "surrogatepass")
    once = {*_base64(data), *_base64(data, b"-_")}
    for encoded in (*once, data.hex()):
        yield from _base64(encoded.encode("ascii"))
        yield encoded.encode("ascii").hex()


def _base64(data: bytes, altchars: bytes = b"+/") -> Iterator[str]:
    """As it stands at each of three alignments, without what its neighbours have a part in."""
    for skipped, first in ((0, 0), (1, 2), (2, 3)):  # bytes before it, and the first character that is of it alone
        encoded = base64.b64encode(b"\0" * skipped + data, altchars).decode("ascii")
        yield encoded[first : (skipped + len(data)) * 8 // 6]


def looks_secret(text: str) -> bool:
    """Whether a value that may be anything (a parameter, a piece of a path) is hardly a word."""
    return len(text) >= LEAST_ENCODED and not ordinary(text)


def ordinary(text: str) -> bool:
    """Whether it reads like words, so that a part of it is no secret: no digits, no long or mixed pieces, or few letters."""
    if len(set(text)) < 5 or len(text.split()) > WORDY:
        return True
    if any(char.isdigit() for char in text):
        return False
    pieces = re.findall(r"[^\W_]+", text)
    return all(len(piece) <= RUN and piece[1:] in (piece[1:].lower(), piece[1:].upper()) for piece in pieces)
