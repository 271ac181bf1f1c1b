"""Checks that what one section names exists in another."""
