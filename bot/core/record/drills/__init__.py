"""What happens to an incident that is a drill."""
