"""The check that asks a model, and the dialects it speaks."""
