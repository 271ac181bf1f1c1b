"""What real requests come to in decisions."""
