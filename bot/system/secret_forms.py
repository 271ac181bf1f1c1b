"""The forms in which a secret may appear in a text, and what looks like one."""

import base64
import hashlib
import re
from collections.abc import Iterator

RUN = 12  # consecutive characters of a secret that may not appear anywhere
LEAST = 6  # characters of a secret; shorter ones occur by chance in any log
LEAST_ENCODED = 8  # of an encoded form of a short one
WORDY = 3  # words; a longer text is prose, in which single words are searched instead of any run
WITH_HOST = frozenset({"http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos"})
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_", "abcdefghijklmnopqrstuvwxyz+/")


def fold(text: str) -> str:
    """The normal form for comparing texts and secrets, character by character: no case, and one base64 alphabet."""
    text = text.translate(_FOLD)
    if text.isascii():
        return text
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def squeezed(text: str) -> str:
    """The text without spaces and line ends, so that wrapping at 4, 64 or 76 characters makes no difference."""
    return "".join(text.split())


def parts(secret: str) -> set[str]:
    """The secret, and those of its words that are secret by themselves (`Bearer abc...`); for an address, its secret parts."""
    if "://" in secret:
        return {secret, *_of_address(secret)}
    words = secret.split()
    found = {word for word in words if len(word) >= RUN and not ordinary(word)} if len(words) > 1 else set()
    return found | {secret}


def _of_address(url: str) -> set[str]:
    """Passwords, and what looks secret in path, query and, if it is not a host, the host's place."""
    scheme, _, rest = url.partition("://")
    login, at, after = rest.partition("@") if "@" in rest.partition("/")[0] else ("", "", rest)
    password = login.partition(":")[2] if at else ""
    if scheme.lower() in WITH_HOST or at:
        after = after.partition("/")[2]
    pieces = [login, *re.split(r"[/?&=#;,:]", after)]
    return {one for one in pieces if looks_secret(one)} | ({password} if len(password) >= LEAST else set())


def encodings(secret: str) -> Iterator[str]:
    """Its encodings and hashes."""
    data = secret.encode("utf-8", "surrogatepass")
    if not secret.isascii():
        yield data.decode("latin-1")  # byte by byte, as percent escapes write it
    yield from _base64(data)
    wide = secret.encode("utf-16-le", "surrogatepass")  # the big-endian form is the same, shifted by one byte
    yield wide.hex()
    yield from _base64(wide)
    for encode in (base64.b32encode, base64.b32hexencode):
        for skipped in range(5):
            encoded = encode(b"\0" * skipped + data).decode("ascii")
            yield encoded[-(-skipped * 8 // 5) : (skipped + len(data)) * 8 // 5]
    yield data.hex()
    for content in (data, data + b"\n"):  # as `echo` in a shell passes it on
        for hashed in (hashlib.md5, hashlib.sha1, hashlib.sha224, hashlib.sha256, hashlib.sha384, hashlib.sha512):
            digest = hashed(content, usedforsecurity=False).digest()
            yield digest.hex()
            yield base64.b64encode(digest).decode("ascii").rstrip("=")


def encodings_twice(secret: str) -> Iterator[str]:
    """Its encodings, encoded again."""
    data = secret.encode("utf-8", "surrogatepass")
    once = {*_base64(data), *_base64(data, b"-_")}
    for encoded in (*once, data.hex()):
        yield from _base64(encoded.encode("ascii"))
        yield encoded.encode("ascii").hex()


def _base64(data: bytes, altchars: bytes = b"+/") -> Iterator[str]:
    """Its base64 at each of three alignments, without characters that also depend on its neighbours."""
    for skipped, first in ((0, 0), (1, 2), (2, 3)):  # bytes before it, and the first character that depends only on it
        encoded = base64.b64encode(b"\0" * skipped + data, altchars).decode("ascii")
        yield encoded[first : (skipped + len(data)) * 8 // 6]


def looks_secret(text: str) -> bool:
    """Whether a value of any kind (a parameter, part of a path) is unlikely to be a word."""
    return len(text) >= LEAST_ENCODED and not ordinary(text)


def ordinary(text: str) -> bool:
    """Whether it reads like words, so that part of it is not a secret: no digits, no long or mixed parts, or few letters."""
    if len(set(text)) < 5 or len(text.split()) > WORDY:
        return True
    if any(char.isdigit() for char in text):
        return False
    pieces = re.findall(r"[^\W_]+", text)
    return all(len(piece) <= RUN and piece[1:] in (piece[1:].lower(), piece[1:].upper()) for piece in pieces)
