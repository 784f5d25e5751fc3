"""Not collected yet: test_check.py is part of the unfinished work on diagnosis."""

collect_ignore = ["test_check.py"]
