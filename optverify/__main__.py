"""python -m optverify: the same as the command `optverify`."""

from optverify.cli import main

if __name__ == "__main__":
    main()
