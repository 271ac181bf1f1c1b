"""What real requests mean for decisions."""
