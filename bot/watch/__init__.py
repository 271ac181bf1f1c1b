"""Runs checks on time and reaches verdicts. `watch` leads, `schedule` times, `check_states` remembers, `blindness` doubts."""
