"""What people read about flags."""
