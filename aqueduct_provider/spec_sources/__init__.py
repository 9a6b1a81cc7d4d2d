"""Where specs come from: a folder, a store, a local copy of a store."""
