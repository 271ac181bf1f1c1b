"""Facts about an incident besides its phase."""
