"""The possible results of a signal, by family: one dataclass per answer, with its values."""
