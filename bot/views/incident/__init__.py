"""What people read about incidents."""
