"""Counts of real requests, stored beside samples: by minute and route, and the last point of each cumulative series."""
