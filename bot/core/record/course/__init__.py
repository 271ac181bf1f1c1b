"""Facts of an incident that stand beside its phase."""
