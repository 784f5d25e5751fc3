"""Keras runs on JAX here, unless the user says otherwise."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
