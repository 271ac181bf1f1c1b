"""Looks at everything on time and comes to verdicts. `watch` leads, `rounds` times, `tracks` remembers, `sighting` doubts."""
