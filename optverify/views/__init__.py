"""One recurrence, other mathematics."""
