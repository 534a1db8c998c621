"""Secrets: references that may stand in files, values that may not be shown."""

from typing import cast


class SecretReference(str):
    """What stands in a file for a secret: `env:NAME`, `file:PATH`, `cmd:PROGRAM`, `sealed:…`, or nothing."""

    __slots__ = ()


# A plain string to msgspec, which writes defaults into the API's schema and knows no other kind of string there.
NO_SECRET = cast(SecretReference, "")


class Secret:
    """A secret's value; neither `repr` nor `str` shows it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)
