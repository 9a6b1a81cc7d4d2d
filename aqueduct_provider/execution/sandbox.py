"""Run children of user code under bubblewrap, where they see and change nothing but what their job needs.

Readable are the system's programs and libraries, the child's Python and the runner. Writable are the folder
of the job and a private ``/tmp``. Other processes, shared memory, other tasks' files, Airflow's home and
credentials are not there at all. All processes end with the one that is started, whatever sessions they are
in. They have no capabilities, and are never root: a worker that is root starts them as another user.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.errors import AqueductError, CommandNotStarted, ConfigError
from aqueduct_provider.execution.runner_package import COMPILED

_OPTION = "[aqueduct] sandbox = bwrap"
# The first release that has all options used here; the newest of them is --ro-bind-try.
_INSTALL = "Install bubblewrap 0.3.1 or newer"
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
# What children of a worker that is root run as: root without capabilities still owns /proc/sys.
_NOBODY = 65534
# Runs inside before anything else, and imports nothing of the user's. Whoever stops being root has no
# capabilities any more.
_BECOME = (
    f"import os, sys; os.chmod('/dev/shm', 0o1777); os.setgroups([]); os.setresgid(*[{_NOBODY}] * 3);"
    f" os.setresuid(*[{_NOBODY}] * 3); os.execv(sys.argv[1], sys.argv[1:])"
)
_ROOT_NEEDS = " For a worker that is root it takes CAP_SYS_ADMIN as well: run it as another user."
# In the private folder of a box.
_TMP, _ETC = "tmp", "etc"


@dataclass(frozen=True)
class Sandbox:
    """bubblewrap, as this worker has it.

    :param program: ``bwrap``.
    :param network: whether children have the worker's network.
    :param hidden: folders and files that children never see, even where they lie in one that is readable.
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

    :param folder: what they can write to; their jobs are in it. The worker follows no link below it.
    """

    sandbox: Sandbox
    folder: Path

    @property
    def umask(self) -> int:
        """Return the umask to start the command with; -1: the worker's."""
        # Folders that are made inside are for another user.
        return 0o022 if _is_root() else -1

    def command(self, argv: Sequence[str], env: Mapping[str, str], private: Path) -> list[str]:
        """Return the command that runs another one in the box.

        :param argv: a Python, its options and its arguments; what is an absolute path can be read.
        :param env: its variables.
        :param private: an empty folder, outside of what any box can write. What the worker makes for this box
            is in it: user code that could reach it would plant links there for the next box.
        :raises OSError: what is private to the box cannot be made.
        """
        python, *others = argv
        arguments = [Path(other) for other in others if other.startswith("/")]
        for path in arguments:
            _compile(python, path)
        temporary = private / _TMP
        temporary.mkdir(mode=0o700)
        if _is_root():
            os.chown(temporary, _NOBODY, _NOBODY)
            # Root has no capability to look into it either.
            temporary.chmod(0o755)
        options = [
            *_namespaces(network=self.sandbox.network),
            *_system(),
            *_etc(private / _ETC),
            *(part for path in self._hidden() for part in _empty(path)),
            *("--bind", str(temporary), "/tmp", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"),
            *self._readable([*python_folders(Path(python)), *arguments, *self._named(env)]),
            *(*_parents(self.folder), "--bind", str(self.folder), str(self.folder), "--remount-ro", "/"),
            *("--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp", "--chdir", "/"),
        ]
        if _is_root():
            options += ["--setenv", "USER", "nobody", "--setenv", "LOGNAME", "nobody"]
            argv = [python, "-I", "-S", "-c", _BECOME, *argv]
        return [self.sandbox.program, *options, "--", *argv]

    def hand_over(self, job: Path, pipes: Iterable[int]) -> None:
        """Let the user of the box write a job's folder, and open the pipes again by their names in /dev.

        The folder itself stays the worker's, who then can remove it.

        :param job: in the folder of the box, or that itself; no link in it is followed.
        :raises OSError: it has become something else.
        """
        if not _is_root():
            return
        if job != self.folder:
            self.folder.chmod(0o755)
        for pipe in pipes:
            os.fchown(pipe, _NOBODY, _NOBODY)
        top = os.open(job, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # Only for root can anyone get here: the folder is in one that is closed to others.
            os.fchmod(top, 0o777)
            for _, folders, files, within in os.fwalk(".", dir_fd=top):
                for name in (*folders, *files):
                    os.chown(name, _NOBODY, _NOBODY, dir_fd=within, follow_symlinks=False)
        finally:
            os.close(top)

    def error(self, cause: OSError) -> AqueductError:
        """Return the error of a box that could not be made.

        :param cause: of the start of bwrap; or a ``ChildProcessError`` with what bwrap has printed.
        """
        program, message = self.sandbox.program, str(cause)
        if cause.filename == program or cause.errno == errno.ENOEXEC:
            return ConfigError(
                f"{_OPTION}, but this worker cannot run {program}: {cause.strerror}. {_INSTALL} where the"
                " worker finds it on its PATH, or set sandbox = none."
            )
        lines = [line for line in message.splitlines() if line.startswith("bwrap: ")]
        if not lines or "execvp" in lines[0]:
            return CommandNotStarted(f"No process could be started in the sandbox: {message}")
        if "Unknown option" in lines[0]:
            return ConfigError(
                f"{_OPTION}, but {program} is too old: {lines[0]}. {_INSTALL} (`{program} --version` prints"
                " the version), or set sandbox = none."
            )
        return ConfigError(
            f"{_OPTION}, but this worker cannot make a sandbox: {lines[0]}. It takes namespaces: see the"
            " sysctls user.max_user_namespaces and kernel.unprivileged_userns_clone; Ubuntu needs an AppArmor"
            " profile for bwrap; a container needs a seccomp profile that allows them, and an unmasked /proc."
            f"{_ROOT_NEEDS if _is_root() else ''} Or set sandbox = none."
        )

    def _hidden(self) -> list[Path]:
        """Return what is hidden and would be seen; where the rest is, nothing is."""
        return [path for path in self.sandbox.hidden if _is_shown(path) and path.exists()]

    def _readable(self, paths: Iterable[Path]) -> Iterator[str]:
        hidden = self._hidden()
        for path in dict.fromkeys(paths):
            is_shown = _is_shown(path) and not any(map(path.is_relative_to, hidden))
            if path.exists() and not is_shown:
                yield from (*_parents(path), "--ro-bind", str(path), str(path))

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
    every = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL"]
    if _is_root():
        # In a user namespace there would be no other user to become.
        every += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        every += ["--unshare-user-try"]
    return [*every, *([] if network else ["--unshare-net"]), "--die-with-parent", "--new-session"]


def _system() -> list[str]:
    options = ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]  # noqa: PTH115
        elif path.exists():
            options += ["--ro-bind", str(path), str(path)]
    options += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"]
    # How many processors there are.
    options += [*_parents(Path(_DEVICES)), "--ro-bind-try", _DEVICES, _DEVICES]
    for device in sorted(Path("/dev").glob("nvidia*")):
        options += ["--dev-bind", str(device), str(device)]
    return options


def _etc(private: Path) -> list[str]:
    """Copy the files, since each mount makes the next one slower. Users are root, nobody and this one."""
    private.mkdir()
    for name in _ETC_FILES:
        source, target = Path("/etc", name), private / name
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
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
        (private / folder.relative_to("/etc")).mkdir(parents=True, exist_ok=True)
        options += ["--ro-bind", str(folder), str(folder)]
    return options


def _empty(path: Path) -> list[str]:
    return ["--tmpfs", str(path)] if path.is_dir() else ["--ro-bind", os.devnull, str(path)]


def _is_root() -> bool:
    return os.geteuid() == 0


def _parents(path: Path) -> Iterator[str]:
    """Make the folders above a path: bwrap would make those that are missing for their owner alone."""
    if _is_root():
        for folder in [*path.parents][-2::-1]:
            yield from ("--dir", str(folder))


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
    done = runner / f"{COMPILED}{os.path.realpath(python).replace('/', '_')[-200:]}"
    if done.exists() or not (runner / "__main__.py").is_file():
        return
    # Without the packages of its environment, which may run code when they are found.
    command = [python, "-I", "-S", "-m", "compileall", "-q", str(runner)]
    finished = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, umask=0o022
    )
    if finished.returncode == 0:
        done.touch()
