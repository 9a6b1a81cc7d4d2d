"""What stands for Redshift: a real PostgreSQL, and before it a door that mends the greetings of both sides.

Amazon's driver names versions of its own protocol, and PostgreSQL refuses a client that does; PostgreSQL
names its Debian version, which the driver cannot read. The driver does not log in with SCRAM, so MD5 it is;
and PostgreSQL gets a type and a function by the names of Redshift's for bytes.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.data_servers.postgres import PostgresServer, postgres_server

USER, PASSWORD = "warehouse", "planted-redshift-password-77b0"
_ONLY_REDSHIFT = {b"client_protocol_version", b"driver_version", b"os_version", b"driver_discovery_version"}
_READY, _PARAMETER = b"Z", b"S"
_VERSION = b"server_version\0"
_PREPARE = f"""
SET password_encryption = 'md5';
CREATE ROLE {USER} SUPERUSER LOGIN PASSWORD '{PASSWORD}';
CREATE TYPE varbyte;
CREATE FUNCTION varbyte_in(cstring) RETURNS varbyte AS 'byteain' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION varbyte_out(varbyte) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE varbyte (INPUT = varbyte_in, OUTPUT = varbyte_out, TYPMOD_IN = varchartypmodin,
                     TYPMOD_OUT = varchartypmodout, LIKE = bytea);
CREATE CAST (varbyte AS bytea) WITHOUT FUNCTION;
CREATE CAST (bytea AS varbyte) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION from_hex(text) RETURNS varbyte LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT decode($1, 'hex')::varbyte $$;
"""


@dataclass(frozen=True)
class RedshiftServer:
    """A running server.

    :param port: of the door. :param postgres: what is behind it.
    """

    port: int
    postgres: PostgresServer

    def config(self) -> dict[str, Any]:
        """The configuration of the connector (Aqueduct formats, section 6)."""
        login = {"username": USER, "password": PASSWORD, "options": {"ssl": "false"}}
        return {**login, "host": "127.0.0.1", "port": str(self.port), "database": "postgres"}


@contextmanager
def redshift_server() -> Iterator[RedshiftServer]:
    """Start a server; it ends, and its data go, with the context."""
    with postgres_server() as postgres:
        ((access,),) = postgres.run("SHOW hba_file")
        postgres.run(_PREPARE)
        postgres.run(f"COPY (SELECT 'host all all 127.0.0.1/32 md5') TO '{access}'")
        postgres.run("SELECT pg_reload_conf()")
        with _door(postgres.port) as port:
            yield RedshiftServer(port, postgres)


@contextmanager
def _door(target: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_welcome, args=(door, target), daemon=True).start()
        yield door.getsockname()[1]
        # Wakes the thread that waits for the next client.
        door.shutdown(socket.SHUT_RDWR)


def _welcome(door: socket.socket, target: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = door.accept()
            server = socket.create_connection(("127.0.0.1", target))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for body, source, sink in ((_greeting, client, server), (_answers, server, client)):
                threading.Thread(target=body, args=(source, sink), daemon=True).start()


def _greeting(client: socket.socket, server: socket.socket) -> None:
    """Pass the first message on without what only Redshift knows, and then all others as they are."""
    with suppress(OSError, struct.error):
        (length,) = struct.unpack("!i", _exactly(client, 4))
        message = _exactly(client, length - 4)
        words = message[4:].split(b"\0")
        pairs = dict(zip(words[::2], words[1::2], strict=False))
        kept = message[:4]
        for name, value in pairs.items():
            kept += name + b"\0" + value + b"\0" if name and name not in _ONLY_REDSHIFT else b""
        kept += b"\0"
        server.sendall(struct.pack("!i", len(kept) + 4) + kept)
    _rest(client, server)


def _answers(server: socket.socket, client: socket.socket) -> None:
    """Pass the first messages on, one with another version, and then all others as they are."""
    with suppress(OSError, struct.error):
        kind = b""
        while kind != _READY:
            kind, length = struct.unpack("!ci", _exactly(server, 5))
            body = _exactly(server, length - 4)
            if kind == _PARAMETER and body.startswith(_VERSION):
                body = _VERSION + b"8.0.2\0"
            client.sendall(struct.pack("!ci", kind, len(body) + 4) + body)
    _rest(server, client)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := source.recv(count - len(data))):
        data += more
    return data


def _rest(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
