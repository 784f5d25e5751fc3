"""One recurrence, source code for many targets."""
