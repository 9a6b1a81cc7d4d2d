"""``make demo`` and ``make stack``: the demo of the package, with this checkout's README."""
