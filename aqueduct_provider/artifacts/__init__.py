"""Move content and metadata, verified by digest; never decodes what it moves."""
