"""What `understudy doctor` examines, and running every check once."""
