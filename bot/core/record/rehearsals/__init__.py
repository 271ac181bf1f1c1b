"""The record of rehearsals of fallbacks."""
