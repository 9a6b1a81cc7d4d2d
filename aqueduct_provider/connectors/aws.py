"""Declare what the systems of AWS share: the fields of their credentials."""

from __future__ import annotations

AWS_FIELDS = ("type", "access_key_id", "config_file_path", "config_file_profile", "region", "connection_id")
AWS_SECRETS = ("session_token", "secret_access_key", "config_file_content")
