"""Check results: many, cheap and short-lived, and what remains of them."""
