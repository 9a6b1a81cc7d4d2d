"""Code for a run as a whole: its pinned version and retention."""
