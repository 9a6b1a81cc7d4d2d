"""Amazon Redshift via redshift_connector."""
