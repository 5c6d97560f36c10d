"""The training engine: the only floor that knows skorch."""
