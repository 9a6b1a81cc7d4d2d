"""Translate the errors of AWS credential providers: each names its cause and its fix.

botocore's providers start processes, read files and send requests, at once or when a request is signed, and
let out whatever goes wrong there. Messages hold no key ids, no arguments of commands and no content of files.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AqueductError, CredentialsError, StorageError, StorageUnavailable
from aqueduct_provider.storage.aws_files import file_problem, profiles_in, usual_files
from aqueduct_provider.storage.files import expanded
from aqueduct_provider.storage.s3_errors import kind_of, without_key_ids

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

# Names of botocore's providers.
PROCESS, ROLE, WEB_IDENTITY = "custom-process", "assume-role", "assume-role-with-web-identity"
# What messages call the files.
USUAL_FILES, CREDENTIALS_TEXT = "the AWS configuration", "the given credentials text"
_SUBJECTS = {
    "given": "The given access keys",
    "env": "The AWS_* environment variables",
    "container-role": "The credentials service of this container",
    "iam-role": "The credentials service of this machine",
}
_SHOWN = 300
_SECRET_WORD = re.compile(r"(?i)([\w-]*(?:secret|token|passw|accesskey|access_key)[\w-]*\W{1,4})[^\s\"',}]+")
_SSO_ERRORS = frozenset({"SSOError", "TokenRetrievalError", "NoAuthTokenError"})
_FIXES = {
    "InfiniteLoopConfigError": "Let the last source_profile be one that has keys",
    "NoRegionError": "Name the region in the connection or in the profile",
    "MissingDependencyException": 'Install it on this machine: pip install "botocore[crt]"',
    "ParamValidationError": "Correct the profile, or the file that it names",
    "PartialCredentialsError": "Add what is missing",
}


@dataclass(frozen=True)
class CredentialSource:
    """The source of credentials.

    :param name: what messages call the file, or files.
    :param path: the one file that is read; empty: AWS's usual files.
    :param profile: the profile in force.
    :param chain: the profile and those that it names as ``source_profile``, in order, with their options.
    :param provider: botocore's name of the provider that is asked; empty: none yet.
    """

    name: str
    path: str = ""
    profile: str = "default"
    chain: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    provider: str = ""

    @property
    def subject(self) -> str:
        """Return what messages begin with."""
        return _SUBJECTS.get(self.provider, f"Profile {self.profile!r} of {self.name}")

    def option(self, name: str) -> str:
        """Return an option of the first profile in the chain that has it; empty: none has."""
        return next((str(options[name]) for _, options in self.chain if options.get(name)), "")


@contextmanager
def credentials_door(source: CredentialSource) -> Iterator[None]:
    """Turn whatever the block raises into a ``StorageError`` that says what is wrong with the source."""
    try:
        yield
    except AqueductError:
        raise
    except Exception as error:
        # What a process has printed may hold secrets, and a cause is printed with its error.
        cause = None if source.option("credential_process") else error
        raise explained(error, source) from cause


def explained(error: Exception, source: CredentialSource) -> StorageError:
    """Return the error of ours for what a provider of credentials raised."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError):
        return _refused(error, source)
    if isinstance(error, BotoCoreError):
        return _of_botocore(error, source)
    return _failed(source, *_of_python(error, source))


def elsewhere(source: CredentialSource, profile: str) -> str:
    """Say which file that is not read has the profile, and what to do; empty: there is none."""
    if not source.path:
        return ""
    read, usual = expanded(source.path), usual_files()
    others = dict.fromkeys((read.with_name("config"), *reversed(usual)))
    found = next((path for path in others if path != read and profile in profiles_in(path)), None)
    if found is None:
        return ""
    advice = f"Copy the profile from there into {source.path}"
    if read == usual[0]:
        advice += ", or leave the credentials path empty, so that both of AWS's usual files are read"
    return (
        f" {found} has a profile {profile!r}, but that file is not read: of a credentials path only the "
        + (f"file itself is. {advice}.")
    )


def _failed(source: CredentialSource, cause: str, fix: str) -> CredentialsError:
    return CredentialsError(f"{source.subject}: {cause}. {fix}.")


# --- answers of AWS


def _refused(error: ClientError, source: CredentialSource) -> StorageError:
    details = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    said = without_key_ids(f"{error.operation_name} was refused ({code}: {details.get('Message', '')})")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if issubclass(kind_of(code, status), StorageUnavailable):
        return StorageUnavailable(f"{source.subject}: {said}. AWS is overloaded or down: try again later.")
    if source.provider == WEB_IDENTITY:
        fix = "Correct role_arn, the role's trust policy, or what writes the web identity token file"
    else:
        fix = "Correct role_arn, source_profile or sso settings of the profile, or the role's trust policy"
    return _failed(source, said, fix)


# --- botocore's own errors


def _of_botocore(error: BotoCoreError, source: CredentialSource) -> StorageError:
    from botocore import exceptions as botocore

    names = {kind.__name__ for kind in type(error).__mro__}
    said = without_key_ids(str(error).strip().rstrip("."))
    if isinstance(error, (botocore.ConnectionError, botocore.HTTPClientError)):
        return StorageUnavailable(
            f"{source.subject}: the service that gives the credentials does not answer: {said}. Check the"
            " network of this machine, and region and endpoint_url of the profile."
        )
    if isinstance(error, botocore.ConfigParseError):
        return _unparsed(error, source)
    if source.provider == "container-role":
        return StorageUnavailable(
            f"{source.subject}: {said}. Check the task role, and the AWS_CONTAINER_* variables here."
        )
    if isinstance(error, botocore.CredentialRetrievalError) and error.kwargs.get("provider") == PROCESS:
        return _failed(source, *_of_process(str(error.kwargs.get("error_msg", "")), source))
    if names & _SSO_ERRORS:
        return _failed(source, said, _login_fix("sso login", source))
    if "LoginError" in names:
        return _failed(source, said, _login_fix("login", source))
    fix = next((fix for name, fix in _FIXES.items() if name in names), "Correct the profile")
    return CredentialsError(f"{source.subject}: {said}. {fix}.{_missing_profile(source)}")


def _unparsed(error: BotoCoreError, source: CredentialSource) -> CredentialsError:
    path = str(error.kwargs.get("path", ""))
    try:
        problem = file_problem(Path(path).read_bytes())
    except OSError:
        problem = ""
    # The file of a text is a temporary one.
    name = source.name if source.path or source.name == CREDENTIALS_TEXT else f"the AWS file {path}"
    name = name[:1].upper() + name[1:]
    return CredentialsError(f"{name} cannot be parsed: {problem or 'its syntax is wrong. Correct it'}.")


def _login_fix(command: str, source: CredentialSource) -> str:
    return (
        f"Run `aws {command} --profile {shlex.quote(source.profile)}` on this machine, as the user that runs"
        " the tasks; for tasks that run unattended use keys or a role, which need no login"
    )


def _missing_profile(source: CredentialSource) -> str:
    """Say where a source profile is that was not found."""
    known = {name for name, _ in source.chain}
    named = [str(options.get("source_profile", "")) for _, options in source.chain]
    return next(
        (hint for name in named if name and name not in known and (hint := elsewhere(source, name))), ""
    )


# --- Python's errors: processes, files, JSON


def _of_python(error: Exception, source: CredentialSource) -> tuple[str, str]:
    """Return the cause and the fix."""
    if isinstance(error, RuntimeError) and "expired" in str(error):
        return (
            "its credentials have expired already when they arrive",
            "Renew them where they come from, and check this machine's clock",
        )
    if source.provider == WEB_IDENTITY:
        return _of_token_file(error, source)
    if command := source.option("credential_process"):
        return _of_process_failure(error, command)
    said = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    return _clipped(said), "Correct the profile, or the file that it names"


def _of_token_file(error: Exception, source: CredentialSource) -> tuple[str, str]:
    path = getattr(error, "filename", None) or source.option("web_identity_token_file")
    said = error.strerror if isinstance(error, OSError) else "it is not text"
    return (
        f"the web identity token file {path} cannot be read: {said}",
        "Let the token be mounted there, readable for this user, or correct web_identity_token_file of the"
        " profile or AWS_WEB_IDENTITY_TOKEN_FILE",
    )


def _of_process_failure(error: Exception, command: str) -> tuple[str, str]:
    program = _program(command)
    if isinstance(error, OSError):
        return (
            f"its credential_process {program} cannot be started: {error.strerror}",
            "Install it on this machine so that this user may execute it, or correct its path",
        )
    return (
        f"its credential_process {program} printed something that is not JSON with credentials",
        "It must print one JSON object with Version 1, AccessKeyId and SecretAccessKey, and nothing else, to"
        " standard output",
    )


def _of_process(said: str, source: CredentialSource) -> tuple[str, str]:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    shown = _clipped(lines[-1]) if lines else "it ended with an error and printed nothing to standard error"
    program = _program(source.option("credential_process"))
    return (
        f"its credential_process {program} gave no credentials: {shown}",
        "Run it on this machine as the user that runs the tasks, and correct what it reports",
    )


def _program(command: str) -> str:
    """Return the program of a command without its arguments, which may hold secrets."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return words[0] if words else "(empty)"


def _clipped(text: str) -> str:
    shown = _SECRET_WORD.sub(r"\1***", without_key_ids(text)).strip().rstrip(".")
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
