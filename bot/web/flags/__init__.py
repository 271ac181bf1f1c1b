"""Endpoints for readers of flags: OFREP, and the stream that tells them to ask again."""
