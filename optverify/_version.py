"""The release. A module of its own, so that every layer may read it without what stands in `optverify`."""

__version__ = "0.1.0"
