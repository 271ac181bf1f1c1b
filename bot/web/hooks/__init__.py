"""What other programs tell us."""
