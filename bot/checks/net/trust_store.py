"""Whom probes trust: one TLS context for all of them, since making one costs more than a thousand probes."""

import ssl

import httpx


def tls_context() -> ssl.SSLContext:
    """A verifying context with the authorities that httpx ships; nothing of the environment counts."""
    return httpx.create_ssl_context(trust_env=False)
