#include "temporal.h"

#include "digits.h"

static uint8_t *date(uint8_t *to, uint64_t year, uint64_t month, uint64_t day)
{
    to = digits_padded(to, year, 4);
    *to++ = '-';
    to = digits_padded(to, month, 2);
    *to++ = '-';
    return digits_padded(to, day, 2);
}

static uint8_t *clock_text(uint8_t *to, uint64_t packed)
{
    to = digits_padded(to, packed >> 12, 2);
    *to++ = ':';
    to = digits_padded(to, packed >> 6 & 63, 2);
    *to++ = ':';
    return digits_padded(to, packed & 63, 2);
}

/* `.123` without trailing zeros, or nothing. */
static uint8_t *fraction_text(uint8_t *to, uint64_t value, size_t bytes)
{
    if (value == 0)
        return to;
    *to++ = '.';
    to = digits_padded(to, value, 2 * (int)bytes);
    while (to[-1] == '0')
        to--;
    return to;
}

uint8_t *temporal_date(uint8_t *to, const uint8_t *image)
{
    uint64_t packed = little_endian(image, 3);
    return date(to, packed >> 9, packed >> 5 & 15, packed & 31);
}

uint8_t *temporal_datetime(uint8_t *to, const uint8_t *image, size_t fraction)
{
    uint64_t packed = big_endian(image, 5);
    if (packed < 0x8000000000) {
        refuse("a DATETIME before all time");
        return NULL;
    }
    packed -= 0x8000000000;
    uint64_t month = packed >> 22;
    to = date(to, month / 13, month % 13, packed >> 17 & 31);
    *to++ = ' ';
    to = clock_text(to, packed & 0x1FFFF);
    return fraction_text(to, big_endian(image + 5, fraction), fraction);
}

uint8_t *temporal_timestamp(uint8_t *to, const uint8_t *image, size_t fraction)
{
    uint64_t seconds = big_endian(image, 4);
    if (seconds == 0) {
        memcpy(to, ZERO_TIME, sizeof ZERO_TIME - 1);
        return to + sizeof ZERO_TIME - 1;
    }
    to = digits_of(to, seconds);
    return fraction_text(to, big_endian(image + 4, fraction), fraction);
}

uint8_t *temporal_time(uint8_t *to, const uint8_t *image, size_t fraction)
{
    unsigned bits = 8 * (unsigned)fraction;
    int64_t packed = (int64_t)big_endian(image, 3 + fraction) - ((int64_t)0x800000 << bits);
    if (packed < 0) {
        *to++ = '-';
        packed = -packed;
    }
    to = clock_text(to, (uint64_t)packed >> bits & 0x3FFFFF);
    return fraction_text(to, (uint64_t)packed & (((uint64_t)1 << bits) - 1), fraction);
}
