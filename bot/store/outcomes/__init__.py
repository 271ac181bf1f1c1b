"""Counts of real requests, kept beside samples: by minute and way, and the last point of each series that only grows."""
