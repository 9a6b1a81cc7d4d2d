"""The original's names of errors, for code that was written for it: ``from aqueduct.error import ...``.

Each is the class of ours that is raised where the original raised that one, or a base of it. Where the server
of the original answered with an error, that is any error of ours.
"""

from __future__ import annotations

from aqueduct_provider.errors import (
    AqueductError,
    AuthoringError,
    NotFound,
    RequirementsMissing,
    UserError,
)

__all__ = [
    "AqueductError",
    "ArtifactNeverComputedException",
    "ArtifactNotFoundException",
    "ClientValidationError",
    "Error",
    "InternalAqueductError",
    "InternalServerError",
    "InvalidArtifactTypeException",
    "InvalidCronStringException",
    "InvalidDependencyFilePath",
    "InvalidFunctionException",
    "InvalidIntegrationException",
    "InvalidRequestError",
    "InvalidResourceException",
    "InvalidUserActionException",
    "InvalidUserArgumentException",
    "NoConnectedIntegrationException",
    "NoConnectedResourcesException",
    "RequirementsMissingError",
    "ReservedFileNameException",
    "ResourceFailedToConnect",
    "ResourceNotFoundError",
    "UnprocessableEntityError",
    "UnsupportedFeatureException",
]

Error = AqueductError

# What the caller did wrong.
InvalidUserArgumentException = UserError
InvalidUserActionException = UserError
UnsupportedFeatureException = UserError
ClientValidationError = UserError
InvalidCronStringException = AuthoringError

# Functions and what they need.
InvalidFunctionException = AuthoringError
InvalidDependencyFilePath = AuthoringError
ReservedFileNameException = AuthoringError
RequirementsMissingError = RequirementsMissing

# What is not there.
ArtifactNotFoundException = NotFound
ArtifactNeverComputedException = NotFound
ResourceNotFoundError = NotFound
InvalidResourceException = UserError
InvalidIntegrationException = UserError
NoConnectedResourcesException = UserError
NoConnectedIntegrationException = UserError

# What the original's server answered, or what happened while it computed.
InternalServerError = AqueductError
InternalAqueductError = AqueductError
InvalidArtifactTypeException = AqueductError
InvalidRequestError = AqueductError
ResourceFailedToConnect = AqueductError
UnprocessableEntityError = AqueductError
