"""What is on record of rehearsals of fallbacks."""
