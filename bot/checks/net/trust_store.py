"""Whom probes trust: one TLS context for all of them, since making one costs more than a thousand probes."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """A verifying context with the authorities that httpx ships; nothing of the environment counts.

    Whoever takes over another configuration goes on with it: reading the authorities would hold the loop for 25 ms.
    """
    return httpx.create_ssl_context(trust_env=False)
