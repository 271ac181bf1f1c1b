"""What stands around every route: who connects, who may, bodies, errors."""
