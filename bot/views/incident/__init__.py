"""What people read of an incident."""
