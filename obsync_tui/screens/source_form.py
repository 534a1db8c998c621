"""The simple fields of a data source as a form, and back."""

from collections.abc import Sequence

import msgspec

from obsync_tui.config.files import decode_hook, encode_hook
from obsync_tui.model.datasource import DataSource, KafkaSource
from obsync_tui.model.project import is_name
from obsync_tui.screens.dialogs import Answers, Asked

_NUMBERS = {"port": int, "connect_timeout_s": float}
_WRONG_NAME = "letters, digits, _ and -, at most 64"


def fields(source: DataSource) -> Sequence[Asked]:
    """What may be changed here; secrets and TLS are changed in the file or by `obsync source add --replace`."""
    if isinstance(source, KafkaSource):
        return [Asked("endpoint", "Brokers", source.endpoint, "host:port, several separated by commas")]
    return [
        Asked("host", "Host", source.host),
        Asked("port", "Port", str(source.port), "1 to 65535"),
        Asked("user", "User", source.user, "for OceanBase user@tenant#cluster"),
        Asked("connect_timeout_s", "Seconds to connect", f"{source.connect_timeout_s:g}"),
    ]


def judge_edit(source: DataSource, answers: Answers) -> Answers:
    """What is wrong, by field."""
    wrong = []
    for key, value in answers:
        try:
            changed(source, ((key, value),))
        except msgspec.ValidationError as error:
            wrong.append((key, str(error).partition(" - at ")[0]))
        except ValueError:
            wrong.append((key, "not a number"))
    return tuple(wrong)


def changed(source: DataSource, answers: Answers) -> DataSource:
    """The data source with the answers in it; ValueError when one does not fit."""
    made = {key: _NUMBERS[key](value) if key in _NUMBERS else value for key, value in answers}
    fields = {**msgspec.to_builtins(source, enc_hook=encode_hook), **made}
    found: DataSource = msgspec.convert(fields, DataSource, dec_hook=decode_hook)
    return found


def copy_fields(source: DataSource) -> Sequence[Asked]:
    """A copy needs a name."""
    return [Asked("name", "Name of the copy", source.name, _WRONG_NAME)]


def judge_copy(answers: Answers) -> Answers:
    """What is wrong with the name."""
    return tuple((key, _WRONG_NAME) for key, value in answers if not is_name(value))
