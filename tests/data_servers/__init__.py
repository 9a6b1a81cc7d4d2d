"""Real data systems, each in a process and a folder of its own, on 127.0.0.1 alone."""
