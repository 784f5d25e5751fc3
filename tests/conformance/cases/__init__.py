"""Cases from public reports: each fault as a few lines of code, its numbers, and what must be said of it."""
