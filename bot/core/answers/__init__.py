"""What a signal may come to, by family: one dataclass for each answer, with its values."""
