"""Code shared by SQL systems: queries, dialects, column types, idempotent loads."""
