"""Which OceanBase answers: edition, version, and what of it is supported."""

import re
from enum import StrEnum

import msgspec
import pymysql

from obsync_tui.engine.errors import SourceError, SourceUnfit
from obsync_tui.engine.mysql.connection import address, error_number, query

OLDEST = (3, 1)
NEWEST = (4,)
# Without a default database MySQL looks no further than the name of a function it does not know: 1046.
_NO_FUNCTION = (1046, 1305)
# `5.7.25-OceanBase_CE-v4.2.1.2`, `OceanBase_CE 4.2.1.2 (r…)`, `OceanBase 4.3.5.3 seekdb (r…)`, `OceanBase CE 3.1.4`.
_PRODUCT = re.compile(r"OceanBase(?:[_ ]CE)?[-_ ](?:seekdb-)?v?(\d+(?:\.\d+)+)")
_SEEKDB = re.compile(r"seekdb-v(\d+(?:\.\d+)+)")


class Edition(StrEnum):
    """Which OceanBase it is."""

    CE = "CE"
    EE = "EE"
    SEEKDB = "seekdb"


class Version(msgspec.Struct, frozen=True):
    """A server's version: `number` that of OceanBase, `(4, 3, 5, 3)`, `release` that of seekdb, `(1, 3, 0, 0)`."""

    number: tuple[int, ...]
    edition: Edition
    release: tuple[int, ...] = ()

    def __str__(self) -> str:
        number = _dotted(self.number)
        if self.edition is Edition.SEEKDB:
            return f"OceanBase {number} (seekdb {_dotted(self.release)})"
        return f"OceanBase {self.edition} {number}"

    @property
    def has_view_logs(self) -> bool:
        """Whether it knows materialized view logs: OceanBase from 4.3.1, seekdb before 1.4."""
        if self.edition is Edition.SEEKDB:
            return self.release < (1, 4)
        return self.number >= (4, 3, 1)

    @property
    def keeps_lobs_in_view_logs(self) -> bool:
        """Whether view logs can hold columns of LOB types: OceanBase from 4.3.5."""
        return self.has_view_logs and self.number >= (4, 3, 5)

    @property
    def sets_undo_retention_by_parameter(self) -> bool:
        """Whether `undo_retention` is a parameter; it was a variable before 4.0."""
        return self.number >= (4,)


def read_version(connection: pymysql.Connection) -> Version:
    """The server's version, asked before anything else.

    SourceUnfit for a server that is not OceanBase and for an Oracle tenant. Raises SourceError.
    """
    number = ""
    try:
        number = str(query(connection, "SELECT OB_VERSION()")[0][0])
    except SourceError as error:
        if error_number(error) not in _NO_FUNCTION:
            raise
    names = "'version', 'version_comment', 'ob_compatibility_mode'"
    rows = query(connection, f"SHOW VARIABLES WHERE Variable_name IN ({names})")
    variables = {str(name).lower(): str(value) for name, value in rows}
    texts = (variables.get("version_comment", ""), variables.get("version", ""))
    if variables.get("ob_compatibility_mode", "").upper() == "ORACLE":
        raise oracle_tenant(address(connection))
    try:
        return parse_version(number, *texts)
    except ValueError as error:
        raise SourceUnfit(
            f"this is not OceanBase but {' '.join(filter(None, texts))}",
            where=address(connection),
            cure="Add the data source as --kind mysql.",
        ) from error


def parse_version(number: str, comment: str, version: str) -> Version:
    """The version from `OB_VERSION()` (empty where it is unknown), `@@version_comment` and `@@version`.

    ValueError when they are not those of OceanBase.
    """
    text = f"{comment} {version}"
    if "oceanbase" not in text.lower() and not number:
        raise ValueError("not OceanBase")
    if not number:
        match = _PRODUCT.search(comment) or _PRODUCT.search(version) or re.match(r"(\d+(?:\.\d+)+)", version)
        if match is None:
            raise ValueError(f"no version in {text!r}")
        number = match[1]
    if "seekdb" in text:
        release = _SEEKDB.search(text)
        return Version(_numbers(number), Edition.SEEKDB, _numbers(release[1]) if release else ())
    edition = Edition.CE if re.search(r"OceanBase[_ ]CE", text) else Edition.EE
    return Version(_numbers(number), edition)


def oracle_tenant(where: str) -> SourceUnfit:
    """The refusal of an Oracle tenant."""
    return SourceUnfit(
        "this is an Oracle tenant; its types, names and SQL are not those of MySQL, and only MySQL tenants are read",
        where=where,
        cure="Name a MySQL tenant in the data source's user: user@tenant#cluster.",
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
