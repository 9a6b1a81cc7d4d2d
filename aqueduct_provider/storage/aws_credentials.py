"""AWS credentials that can be used, or an error: botocore's providers, watched over.

Added to botocore are: errors that say what is wrong, a refusal of profiles that ask for an MFA code, and keys
without the white space that copying adds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import CredentialsError
from aqueduct_provider.storage.aws_credential_errors import ROLE, CredentialSource, credentials_door
from aqueduct_provider.storage.aws_models import load_quickly

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials
    from botocore.session import Session

# In an HTTP header, as key ids and session tokens are, nothing else may stand.
_NOT_IN_HEADERS = re.compile(r"[^\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Providers:
    """The component ``credential_provider`` of a session of botocore.

    :param providers: botocore's, in the order in which they are asked.
    :param source: where they look.
    """

    def __init__(self, providers: Sequence[Any], source: CredentialSource) -> None:
        self.providers = providers
        self._source = source

    def load_credentials(self) -> Credentials | None:
        """Return the credentials of the first provider that has some; None: none has.

        :raises CredentialsError: a provider fails, or would ask for an MFA code.
        """
        for provider in self.providers:
            source = replace(self._source, provider=provider.METHOD)
            if provider.METHOD == ROLE:
                refuse_mfa(source)
            with credentials_door(source):
                found = provider.load()
            if found is not None:
                return checked(found, source)
        return None


def checked(credentials: Credentials, source: CredentialSource) -> Credentials:
    """Return credentials that are cleaned when a request is signed, and renewed behind our door."""
    from botocore.credentials import Credentials

    class CheckedCredentials(Credentials):
        """Those of a provider, which may renew them."""

        def __init__(self) -> None:
            self.method = credentials.method

        def __getattr__(self, name: str) -> Any:
            """Return the current keys as attributes."""
            return getattr(self.get_frozen_credentials(), name)

        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            with credentials_door(source):
                return cleaned(credentials.get_frozen_credentials(), source)

    return CheckedCredentials()


def cleaned(keys: ReadOnlyCredentials, source: CredentialSource) -> ReadOnlyCredentials:
    """Return keys without white space around them.

    :raises CredentialsError: one is empty, or cannot be sent.
    """
    values = {
        "access_key": _cleaned("access key id", keys.access_key, _NOT_IN_HEADERS, source),
        "secret_key": _cleaned("secret access key", keys.secret_key, _CONTROL, source),
        "token": keys.token and _cleaned("session token", keys.token, _NOT_IN_HEADERS, source),
    }
    return keys._replace(**values)


def _cleaned(label: str, value: str | None, wrong: re.Pattern[str], source: CredentialSource) -> str:
    stripped = (value or "").strip()
    if not stripped:
        raise CredentialsError(f"{source.subject}: the {label} is empty. Fill it in.")
    if stripped[0] in "\"'" and stripped[-1] == stripped[0]:
        raise CredentialsError(
            f"{source.subject}: the {label} is in quotes, which count as a part of it. Remove them."
        )
    if wrong.search(stripped):
        raise CredentialsError(
            f"{source.subject}: the {label} holds a line end, a space or another character that keys do not"
            " have. Copy it again, in one line."
        )
    return stripped


def refuse_mfa(source: CredentialSource) -> None:
    """Raise ``CredentialsError`` if a role of the chain of profiles wants a code that someone has to type."""
    for name, options in _roles(source):
        if options.get("mfa_serial"):
            who = "it" if name == source.profile else f"its source profile {name!r}"
            raise CredentialsError(
                f"{source.subject}: {who} has an mfa_serial, and no one can type an MFA code where tasks run."
                " Use a profile without mfa_serial (keys or a role for machines), or short-lived credentials"
                " that were fetched with a code (aws sts get-session-token)."
            )


def _roles(source: CredentialSource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the profiles whose role is assumed; a source profile with keys of its own uses its keys."""
    for place, (name, options) in enumerate(source.chain):
        if not options.get("role_arn") or options.get("web_identity_token_file"):
            return
        if place and ("aws_access_key_id" in options or "aws_secret_access_key" in options):
            return
        yield name, options


def chain_of(session: Session, profile: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return a profile and those that it names as ``source_profile``, in order, each once."""
    known: Mapping[str, Mapping[str, Any]] = session.full_config.get("profiles", {})
    found: dict[str, Mapping[str, Any]] = {}
    while profile in known and profile not in found:
        found[profile] = known[profile]
        profile = str(known[profile].get("source_profile", ""))
    return tuple(found.items())


def watch(session: Session, source: CredentialSource, *, without: Sequence[str] = ()) -> CredentialSource:
    """Let the session's credentials come through :class:`Providers`.

    :param without: names of providers that are not asked.
    :returns: the source, with the chain of its profile.
    :raises CredentialsError: a file cannot be parsed.
    """
    with credentials_door(source):
        source = replace(source, chain=chain_of(session, source.profile))
        # It reads the files, so not before what is wrong with them is known.
        load_quickly(session)
        resolver = session.get_component("credential_provider")
    providers = [provider for provider in resolver.providers if provider.METHOD not in without]
    session.register_component("credential_provider", Providers(providers, source))
    return source


def give_keys(session: Session, key_id: str, secret: str, token: str = "") -> None:
    """Let the session use these keys and no others."""
    from botocore.credentials import Credentials

    class Given:
        """A provider of keys that were given."""

        METHOD = "given"

        def load(self) -> Credentials:
            return Credentials(key_id, secret, token or None, method=self.METHOD)

    load_quickly(session)
    session.register_component("credential_provider", Providers([Given()], CredentialSource("")))
