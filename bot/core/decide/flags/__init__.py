"""Rules of fallback flags."""
