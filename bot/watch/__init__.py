"""Runs checks on time and comes to verdicts. `watch` leads, `schedule` times, `check_states` remembers, `blindness` doubts."""
