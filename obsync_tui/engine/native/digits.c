#include "digits.h"

static const char PAIRS[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657"
    "585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

uint8_t *digits_of(uint8_t *to, uint64_t value)
{
    uint8_t text[DIGITS_ROOM], *at = text + sizeof text;
    while (value >= 100) {
        at -= 2;
        memcpy(at, PAIRS + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, PAIRS + 2 * value, 2);
    } else {
        *--at = (uint8_t)('0' + value);
    }
    size_t size = (size_t)(text + sizeof text - at);
    memcpy(to, at, size);
    return to + size;
}

uint8_t *digits_of_signed(uint8_t *to, int64_t value)
{
    if (value >= 0)
        return digits_of(to, (uint64_t)value);
    *to++ = '-';
    return digits_of(to, 0 - (uint64_t)value);
}

uint8_t *digits_padded(uint8_t *to, uint64_t value, int width)
{
    if (width == 2 && value < 100) {
        memcpy(to, PAIRS + 2 * value, 2);
        return to + 2;
    }
    uint8_t text[DIGITS_ROOM], *end = digits_of(text, value);
    for (int missing = width - (int)(end - text); missing > 0; missing--)
        *to++ = '0';
    memcpy(to, text, (size_t)(end - text));
    return to + (end - text);
}
