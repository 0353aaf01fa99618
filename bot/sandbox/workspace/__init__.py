"""The state of one simulated workspace."""
