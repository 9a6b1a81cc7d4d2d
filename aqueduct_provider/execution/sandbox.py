"""Run children of user code under bubblewrap: they see and change nothing but what their job needs.

In: a command, and the folder of its job. Out: the same command in namespaces of its own. Readable are the
system's programs and libraries, the child's Python and the runner; writable are the folder of the job and a
private ``/tmp``. Other processes, shared memory, other tasks' files, Airflow's home and credentials are not
there at all. All processes end with the one that is started, whatever sessions they are in.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.errors import AqueductError, CommandNotStarted, ConfigError

_OPTION = "[aqueduct] sandbox = bwrap"
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Of /etc only what programs need to find libraries, hosts and certificates; never its private keys.
_ETC_FILES = (
    "hosts ld.so.cache localtime mime.types nsswitch.conf resolv.conf services ssl/cert.pem ssl/openssl.cnf"
).split()
_ETC_FOLDERS = ("alternatives", "crypto-policies", "java*", "pki/ca-trust", "pki/tls/certs", "ssl/certs")
_DEVICES = "/sys/devices/system"
# Variables that a child is given and that name files.
_PATHS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "JAVA_HOME", "CUDA_HOME")
_PATH_LISTS = ("LD_LIBRARY_PATH",)
# Of the folder that a Python is installed in, which may be someone's home.
_PYTHON = ("bin", "lib", "lib64", "share", "ssl", "pyvenv.cfg")
# In the folder of a box.
_TMP, _ETC = "sandbox-tmp", "sandbox-etc"


@dataclass(frozen=True)
class Sandbox:
    """bubblewrap, as this worker has it.

    :param program: ``bwrap``.
    :param network: whether children have the worker's network.
    :param hidden: folders that children never see, even where they lie in one that is readable.
    """

    program: str
    network: bool
    hidden: tuple[Path, ...] = ()

    def around(self, folder: Path) -> Box:
        """Return a box whose writable folder is this one."""
        return Box(self, folder)


def find_sandbox(*, network: bool, hidden: Iterable[Path] = ()) -> Sandbox:
    """Return the sandbox of this machine.

    :raises ConfigError: there is none.
    """
    if sys.platform != "linux":
        raise ConfigError(f"{_OPTION} needs Linux, and this worker is {sys.platform}. Set sandbox = none.")
    program = shutil.which("bwrap")
    if program is None:
        raise ConfigError(
            f"{_OPTION}, but this worker has no bwrap. Install it (apt-get install bubblewrap, or dnf install"
            " bubblewrap) where the worker finds it on its PATH, or set sandbox = none."
        )
    return Sandbox(program, network, tuple(hidden))


@dataclass(frozen=True)
class Box:
    """One place in which children run one after the other.

    :param folder: what they can write to; their jobs are in it.
    """

    sandbox: Sandbox
    folder: Path

    def command(self, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """Return the command that runs another one in the box.

        :param argv: a Python, its options and its arguments; what is an absolute path can be read.
        :raises OSError: what is private to the box cannot be made.
        """
        python, *others = argv
        arguments = [Path(other) for other in others if other.startswith("/")]
        for path in arguments:
            _compile(python, path)
        private = self.folder / _TMP
        private.mkdir(mode=0o700, exist_ok=True)
        options = [
            *_namespaces(network=self.sandbox.network),
            *_system(),
            *_etc(self.folder / _ETC),
            *(part for path in self._hidden() for part in ("--tmpfs", str(path))),
            *("--bind", str(private), "/tmp", "--symlink", "/tmp", "/var/tmp"),
            *self._readable([*python_folders(Path(python)), *arguments, *self._named(env)]),
            *("--bind", str(self.folder), str(self.folder), "--remount-ro", "/"),
            *("--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp", "--chdir", "/"),
        ]
        return [self.sandbox.program, *options, "--", *argv]

    def error(self, message: str) -> AqueductError:
        """Return the error of a box that could not be made, from what bwrap has printed."""
        lines = [line for line in message.splitlines() if line.startswith("bwrap: ")]
        if not lines or "execvp" in lines[0]:
            return CommandNotStarted(f"No process could be started in the sandbox: {message}")
        return ConfigError(
            f"{_OPTION}, but this worker cannot make a sandbox: {lines[0]}. It takes user namespaces: see the"
            " sysctls user.max_user_namespaces and kernel.unprivileged_userns_clone; Ubuntu needs an AppArmor"
            " profile for bwrap; a container needs a seccomp profile that allows them, and an unmasked /proc."
            " Or set sandbox = none."
        )

    def _hidden(self) -> list[Path]:
        """Return the hidden folders that would be seen; where the others are, nothing is."""
        return [path for path in self.sandbox.hidden if _is_shown(path) and path.is_dir()]

    def _readable(self, paths: Iterable[Path]) -> Iterator[str]:
        hidden = self._hidden()
        for path in dict.fromkeys(paths):
            is_shown = _is_shown(path) and not any(map(path.is_relative_to, hidden))
            if path.exists() and not is_shown:
                yield from ("--ro-bind", str(path), str(path))

    def _named(self, env: Mapping[str, str]) -> Iterator[Path]:
        """Return the files that the child's variables name, but nothing that has a hidden folder in it."""
        names = [env[name] for name in _PATHS if name in env]
        names += [part for name in _PATH_LISTS for part in env.get(name, "").split(os.pathsep)]
        for path in (Path(name) for name in names if name.startswith("/")):
            if not any(hidden.is_relative_to(path) for hidden in (*self.sandbox.hidden, self.folder)):
                yield path


def python_folders(python: Path) -> list[Path]:
    """Return what a Python needs: its own folder, and that of the Python it was made from.

    :param python: an interpreter, perhaps of a virtual environment, perhaps a link to a link.
    """
    prefixes = dict.fromkeys([python.parent.parent])
    with_base = python.parent.parent / "pyvenv.cfg"
    if with_base.is_file():
        for line in with_base.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "home":
                prefixes[Path(value.strip()).parent] = None
    while python.is_symlink():
        python = python.parent / os.readlink(python)  # noqa: PTH115
        prefixes[Path(os.path.normpath(python)).parent.parent] = None
    prefixes[python.resolve().parent.parent] = None
    found = (prefix / name for prefix in prefixes for name in _PYTHON)
    # lib64 is often a link to lib, which suffices.
    return [path for path in found if path.exists() and not path.is_symlink()]


def _namespaces(*, network: bool) -> list[str]:
    every = ["--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    return [*every, *([] if network else ["--unshare-net"]), "--die-with-parent", "--new-session"]


def _system() -> list[str]:
    options = ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]  # noqa: PTH115
        elif path.exists():
            options += ["--ro-bind", str(path), str(path)]
    options += ["--proc", "/proc", "--dev", "/dev"]
    # How many processors there are.
    options += ["--ro-bind-try", _DEVICES, _DEVICES]
    for device in sorted(Path("/dev").glob("nvidia*")):
        options += ["--dev-bind", str(device), str(device)]
    return options


def _etc(private: Path) -> list[str]:
    """Copy the files, since each mount makes the next one slower. Users are root, nobody and this one."""
    for name in _ETC_FILES:
        source, target = Path("/etc", name), private / name
        if source.is_file() and not target.exists():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    user, group = os.geteuid(), os.getegid()
    users = {0: ("root", 0), 65534: ("nobody", 65534), user: (_user_name(user), group)}
    lines = (f"{name}:x:{number}:{own}::/tmp:\n" for number, (name, own) in users.items())
    (private / "passwd").write_text("".join(lines), encoding="utf-8")
    groups = {group: "users", 0: "root", 65534: "nogroup"}
    lines = (f"{name}:x:{number}:\n" for number, name in groups.items())
    (private / "group").write_text("".join(lines), encoding="utf-8")
    options = ["--ro-bind", str(private), "/etc"]
    for folder in (folder for name in _ETC_FOLDERS for folder in Path("/etc").glob(name)):
        (private / folder.relative_to("/etc")).mkdir(mode=0o700, parents=True, exist_ok=True)
        options += ["--ro-bind", str(folder), str(folder)]
    return options


def _user_name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return "airflow"


def _is_shown(path: Path) -> bool:
    """Check whether a path is in what everyone in a box can read."""
    return any(path.is_relative_to(Path("/", name)) for name in ("usr", *_SYSTEM))


def _compile(python: str, runner: Path) -> None:
    """Compile the runner's modules, once for each Python: in the box nothing can write them."""
    done = runner / f".compiled-{os.path.realpath(python).replace('/', '_')[-200:]}"
    if done.exists() or not (runner / "__main__.py").is_file():
        return
    # Without the packages of its environment, which may run code when they are found.
    command = [python, "-I", "-S", "-m", "compileall", "-q", str(runner)]
    if subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0:
        done.touch()
