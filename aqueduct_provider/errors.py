"""The exceptions of this package: pure Python, importable from every room, each one pickles.

    AqueductError
    |-- UserError                 what was asked for, or how, is wrong
    |   |-- SpecError             a spec is wrong; carries every problem with its JSON path
    |   |-- ConfigError           the [aqueduct] section, a connection or a resource is wrong
    |   |-- AuthoringError        a call of the SDK, or the flow that it describes, is wrong
    |   |   |-- RequirementsMissing   nothing says which packages a function needs
    |   |   `-- PackagingError    a function cannot be packaged
    |   `-- NotFound              the flow, run, artifact or resource does not exist
    |-- StorageError              S3, or a disk of this machine, did not do what was asked
    |   |-- CredentialsError      file, profile or keys are missing or refused
    |   |-- BucketNotFound
    |   |-- AccessDenied
    |   |-- WrongRegion
    |   |-- ObjectNotFound
    |   |-- ObjectTooLarge
    |   |-- StorageUnavailable    endpoint down, throttled or answering 5xx after all retries
    |   `-- DiskError             a file or folder of this machine is gone or cannot be used
    |       |-- DiskFull          no space, or no more of the user's quota
    |       `-- DiskRefused       another owner, no permission, mounted read-only
    |-- IntegrityError            bytes are not the ones that were promised
    |   |-- DigestMismatch
    |   `-- UnsafeArchive
    |-- EnvironmentFailure        no Python that satisfies the operator
    |   |-- RequirementsError     the requirements cannot be resolved or built
    |   |-- PythonNotFound        this worker lacks the Python version
    |   `-- EnvironmentBuildError disk full, uv missing, killed: not the user's fault
    |-- DataSystemError         a database or another data system did not do what was asked
    |   |-- DriverMissing       its driver is not installed where the operator runs
    |   |-- DataSystemUnavailable  it gave no answer, was busy, or ended the connection
    |   |-- DataSystemLoginFailed  it refuses the user or the password, or knows no such database
    |   |-- StatementRefused    a query or a name cannot be run, or is refused
    |   `-- LoadRefused         a table cannot be written as asked
    |-- RunVersionChanged         a flow was published again during a run, which cannot go on with one version
    |-- CommandNotStarted         the program does not exist or may not be executed
    |-- WaitTimedOut              what was waited for did not happen in time
    |-- AirflowImportError        the Airflow side was imported without an Airflow that it can use
    |-- AirflowError              Airflow's REST API did not do what was asked
    |   |-- AirflowUnreachable    no answer, no HTTP, a certificate that is not trusted
    |   |-- AirflowLoginFailed    user name, password or token are refused
    |   `-- AirflowRefused        an answer with an error status; carries the status
    `-- OperatorFailed            the operator ran and did not succeed
        |-- CheckFailed
        |-- OperatorCrashed       the child ended without an outcome
        |-- OperatorTimedOut
        `-- OperatorKilled

``fault`` says who must act (it becomes the failure type of the exec state); ``retryable`` says whether
running the same thing again can help, and so whether Airflow's retries are used.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

Fault = Literal["user", "system"]


@dataclass(frozen=True)
class Hint:
    """A sentence on what the reader can do about an error.

    :param python: for readers in Python.
    :param terminal: for readers of ``aqueduct-airflow``.
    """

    python: str
    terminal: str

    @classmethod
    def worded(cls, sentence: str, python: str, terminal: str) -> Hint:
        """Return a sentence with the one or the other in place of its ``{}``."""
        return cls(sentence.format(python), sentence.format(terminal))


class AqueductError(Exception):
    """Base of everything this package raises on purpose. ``str()`` is one message fit for its reader.

    :param hint: ends the message in the words of where it is read.
    """

    fault: ClassVar[Fault] = "system"
    retryable: ClassVar[bool] = True

    def __init_subclass__(cls, fault: Fault | None = None, retryable: bool | None = None) -> None:
        """Declare what a class of errors has otherwise than its base."""
        super().__init_subclass__()
        cls.fault = cls.fault if fault is None else fault
        cls.retryable = cls.retryable if retryable is None else retryable

    def __init__(self, message: str = "", *, hint: Hint | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{super().__str__()} {self.hint.python}" if self.hint else super().__str__()

    def for_terminal(self) -> str:
        """Return the message with the commands and options of ``aqueduct-airflow``."""
        return f"{super().__str__()} {self.hint.terminal}" if self.hint else str(self)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a spec.

    :param path: JSON path, such as ``$.operators[0].retries``; in a Python file a line, such as ``line 3``.
    :param message: what is wrong there and how to fix it.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class UserError(AqueductError, fault="user", retryable=False):
    """The request is wrong, and its author must change it."""


class SpecError(UserError):
    """A spec cannot be used.

    :param source: the file's name, or another word for where the spec came from.
    :param problems: all that is wrong with it, at least one.
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems: tuple[Problem, ...] = tuple(problems)
        count = f"{len(self.problems)} problem" + ("s" if len(self.problems) != 1 else "")
        lines = [f"{source} has {count}:", *(f"  {problem}" for problem in self.problems)]
        super().__init__("\n".join(lines) if len(self.problems) > 1 else " ".join(s.strip() for s in lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.source, self.problems)


class ConfigError(UserError):
    """A setting of the ``[aqueduct]`` section, of a connection or of a resource cannot be used."""


class AirflowImportError(AqueductError, ImportError, fault="user", retryable=False):
    """The Airflow side of this package was imported without an Airflow that it can use."""


class StorageError(AqueductError):
    """The artifact store, or a disk of this machine, did not do what was asked."""


class CredentialsError(StorageError, retryable=False):
    """The credentials file, the profile in it or its keys are missing or refused."""


class BucketNotFound(StorageError, retryable=False):
    """The bucket does not exist."""


class AccessDenied(StorageError, retryable=False):
    """The credentials are valid but do not allow this request."""


class WrongRegion(StorageError, retryable=False):
    """The bucket is in another region than the one configured."""


class ObjectNotFound(StorageError, retryable=False):
    """No object has this key."""


class ObjectTooLarge(StorageError, retryable=False):
    """An object has more bytes than are read where it is asked for."""


class StorageUnavailable(StorageError):
    """The endpoint cannot be reached, or kept throttling or failing through all retries."""


class DiskError(StorageError):
    """A file or folder of this machine is gone, or cannot be used."""


class DiskFull(DiskError):
    """The disk or the user's quota is full; this may pass when space is freed."""


class DiskRefused(DiskError, retryable=False):
    """This user must not write there: another owner, no permission, or mounted read-only."""


class IntegrityError(AqueductError, retryable=False):
    """Bytes are not the ones that were promised."""


class DigestMismatch(IntegrityError):
    """The sha256 of an object differs from the one that its producer recorded."""


class UnsafeArchive(IntegrityError, fault="user"):
    """A function archive holds links, paths outside its folder, or more than the allowed size or count."""


class EnvironmentFailure(AqueductError):
    """No Python environment satisfies the operator's requirements."""


class RequirementsError(EnvironmentFailure, fault="user", retryable=False):
    """The requirements cannot be resolved or built; the message holds uv's reason."""


class PythonNotFound(EnvironmentFailure, fault="user", retryable=False):
    """This worker has no Python of the version that the operator was written for."""


class EnvironmentBuildError(EnvironmentFailure):
    """Building failed for a reason that lies with the machine: disk, permissions, uv itself."""


class DataSystemError(AqueductError, fault="user", retryable=False):
    """A database or another data system did not do what was asked."""


class DriverMissing(DataSystemError, fault="system"):
    """The driver of a data system is not installed where the operator runs."""


class DataSystemUnavailable(DataSystemError, fault="system", retryable=True):
    """The data system gave no answer, was busy, or ended the connection."""


class DataSystemLoginFailed(DataSystemError):
    """The data system refuses the user or the password, or knows no such database."""


class StatementRefused(DataSystemError):
    """A query or a name in it cannot be run, or the data system refuses it."""


class LoadRefused(DataSystemError):
    """A table cannot be written as asked: it exists already, or does not fit the one that is there."""


class RunVersionChanged(AqueductError, fault="user", retryable=False):
    """A flow was published again during a run of it, which cannot go on with one version."""


class CommandNotStarted(AqueductError):
    """A child process could not be started: no such program or folder, or no permission to execute it."""


class AuthoringError(UserError):
    """A call of the SDK, or the flow that it describes, is wrong."""


class RequirementsMissing(AuthoringError):
    """Nothing says which packages a function needs."""


class PackagingError(AuthoringError):
    """A function cannot be packaged: it cannot be pickled, or needs a module that will be missing."""


class NotFound(UserError):
    """The flow, run, artifact or resource does not exist."""


class WaitTimedOut(AqueductError):
    """The awaited event did not happen in time; it may still happen."""


class AirflowError(AqueductError):
    """Airflow's REST API did not do what was asked."""


class AirflowUnreachable(AirflowError):
    """Airflow gave no answer: wrong host, not running, a certificate that is not trusted, or too slow."""


class AirflowLoginFailed(AirflowError, fault="user", retryable=False):
    """Airflow refuses the user name, the password or the token."""


class AirflowRefused(AirflowError, retryable=False):
    """Airflow answered with an error.

    :param status: the HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.status)


class OperatorFailed(AqueductError, fault="user"):
    """The operator ran and did not succeed.

    :param message: what happened, in one sentence for users.
    :param context: the traceback; for errors of the user's code from the user's first frame on.
    :param deterministic: whether running it again would end the same way (a wrong type, an import error).
    """

    def __init__(self, message: str, *, context: str = "", deterministic: bool = False) -> None:
        super().__init__(message)
        self.context = context
        self.deterministic = deterministic

    def __reduce__(self) -> tuple[Any, ...]:
        kind = partial(type(self), context=self.context, deterministic=self.deterministic)
        return kind, (str(self),)


class CheckFailed(OperatorFailed, retryable=False):
    """A check of severity ``error`` returned false."""


class OperatorCrashed(OperatorFailed, fault="system"):
    """The child process ended without leaving an outcome: a signal, ``os._exit``, the kernel's OOM killer."""


class OperatorTimedOut(OperatorFailed):
    """The operator ran longer than its timeout and was ended."""


class OperatorKilled(OperatorFailed, fault="system"):
    """Airflow asked for the operator's end, and the child and its process group were ended."""


class AqueductDeprecationWarning(DeprecationWarning):
    """Something of the public interface will be removed.

    The message names what to use instead, and the release that removes it: see ``docs/upgrading.md``.
    """


def is_retryable(error: BaseException) -> bool:
    """Return whether retrying the failed operator can help; foreign errors count as retryable."""
    if isinstance(error, OperatorFailed):
        return error.retryable and not error.deterministic
    return not isinstance(error, AqueductError) or error.retryable


def unforeseen(error: BaseException) -> str:
    """Return a message for a foreign error, without that error's own, which may repeat a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}; please report this"
