"""Requests reported by OpenTelemetry (OTLP over HTTP), converted to our own counts."""
