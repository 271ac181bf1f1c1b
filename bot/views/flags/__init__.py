"""What people read of flags."""
