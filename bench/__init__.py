"""Programs that measure what the README claims. `make bench` runs them all; each prints a table and says whether it holds."""
