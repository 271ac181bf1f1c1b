"""Requests as OpenTelemetry tells them (OTLP over HTTP), read into our own counts."""
