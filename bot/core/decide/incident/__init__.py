"""Rules of an incident."""
