"""What SQL systems share: queries, dialects, column types, idempotent loads."""
