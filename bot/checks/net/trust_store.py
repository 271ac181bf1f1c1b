"""The TLS context shared by all probes, since creating one costs more than a thousand probes."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """A verifying context with httpx's certificate authorities; the environment is ignored.

    Reused when the configuration is reloaded: reading the authorities would block the loop for 25 ms.
    """
    return httpx.create_ssl_context(trust_env=False)
