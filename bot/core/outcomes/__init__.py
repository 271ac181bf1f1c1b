"""Results of real customers' requests as reported by their services: counted by minute, never stored individually."""
