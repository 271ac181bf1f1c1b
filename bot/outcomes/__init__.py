"""Receives services' reports on their requests: collected by minute, stored once a second."""
