"""Serve forked children: ``python -I -u runner --serve SOCKET``, one child for each job.

In: on the socket, for each job a line of JSON with its folder, and the three descriptors that become the
child's standard streams. Out: ``{"pid": n}`` from the child once it leads its own session, and
``{"returncode": n}`` from the server once the child, and all that it started, has ended. The server starts no
thread and runs nothing of a user, so that a fork of it is as good as a new process. It supervises its
children; the lifelines are each child's standard input and the socket, with which the server ends. Standard
library only, but for what is loaded for the children.
"""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import socket
import sys
from typing import List, Optional, Tuple

from .supervisor import LOADED_LATE, Supervisor

# Of the modules that are loaded before a fork, those that a runner of its own would not have loaded.
_early: List[str] = []


def serve(control: int, grace: float, *, early: bool) -> Optional[Tuple[str, int]]:
    """Fork for each job that comes.

    :param control: the descriptor of the socket.
    :param grace: see ``Supervisor``.
    :param early: whether to load what most jobs need before the first fork.
    :return: in a child, its job's folder and its bond; None in the server after its last job.
    """
    if early:
        _load_early()
    gc.freeze()
    server = socket.socket(fileno=control)
    while True:
        folder, streams = _receive(server)
        if not folder:
            return None
        supervisor = Supervisor(grace)
        if not supervisor.fork():
            _become_child(server, folder, streams)
            return folder, supervisor.bond
        lifeline, *others = streams
        for stream in others:
            os.close(stream)
        code = supervisor.wait([lifeline, control])
        os.close(lifeline)
        if not _send(server, {"returncode": code}):
            return None


def forget_shadowed(code_dir: str) -> None:
    """Forget what was loaded early where the user's code has a module of that name, which must win.

    :param code_dir: the user's folder of modules.
    """
    own = {os.path.splitext(name)[0] for name in os.listdir(code_dir)}
    for name in _early:
        if name.partition(".")[0] in own:
            sys.modules.pop(name, None)


def _load_early() -> None:
    """Load what most jobs need: a child then has it at once."""
    before = set(sys.modules)
    # Where it is missing, nothing is pickled.
    with contextlib.suppress(ImportError):
        import cloudpickle  # noqa: F401
    _early.extend(set(sys.modules) - before)
    _early.extend(("array", "socket", "selectors", *LOADED_LATE))


def _become_child(server: socket.socket, folder: str, streams: List[int]) -> None:
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
    for stream in streams:
        os.close(stream)
    os.chdir(folder)
    sys.argv[1:] = [folder]
    _send(server, {"pid": os.getpid()})
    server.close()


def _receive(server: socket.socket) -> Tuple[str, List[int]]:
    """Return the next job; an empty folder when the worker is gone or has no more."""
    line, descriptors = b"", array.array("i")
    # Python 3.8 has no socket.recv_fds.
    room = socket.CMSG_LEN(3 * descriptors.itemsize)
    while not line.endswith(b"\n"):
        try:
            data, ancillary, _, _ = server.recvmsg(65536, room)
        except ConnectionError:
            return "", []
        if not data:
            return "", []
        line += data
        for _, _, content in ancillary:
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    return json.loads(line)["folder"], list(descriptors)


def _send(server: socket.socket, message: object) -> bool:
    """Return whether the other side was there to receive it."""
    try:
        server.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        return False
    return True
