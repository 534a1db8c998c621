"""Times as text: the packed 8-byte form that MySQL keeps in binary JSON (sql-common/my_time.cc)."""


def packed_date_text(packed: int) -> str:
    """A packed DATE or DATETIME as `YYYY-MM-DD`."""
    year_month, day = divmod((packed >> 41) & 0x3FFFFF, 32)
    return f"{year_month // 13:04}-{year_month % 13:02}-{day:02}"


def packed_datetime_text(packed: int) -> str:
    """A packed DATETIME or TIMESTAMP as `YYYY-MM-DD HH:MM:SS.ffffff`."""
    return f"{packed_date_text(packed)} {_clock_text(packed, 31)}"


def packed_time_text(packed: int) -> str:
    """A packed TIME as `[-]HH:MM:SS.ffffff`, hours up to 838."""
    sign = ""
    if packed < 0:
        sign, packed = "-", -packed
    return sign + _clock_text(packed, 1023)


def _clock_text(packed: int, hour_mask: int) -> str:
    clock = packed >> 24
    hours, minutes, seconds = (clock >> 12) & hour_mask, (clock >> 6) & 63, clock & 63
    return f"{hours:02}:{minutes:02}:{seconds:02}.{packed & 0xFFFFFF:06}"
