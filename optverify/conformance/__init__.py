"""Other people's optimizers as black boxes: driven, compared with the rules, and named or explained.

The public names are `optverify.check`, `optverify.diagnose` and `optverify.ConformanceError`; for tests,
`optverify.testing`. Nothing is imported here: the command line needs the sandbox alone.
"""
