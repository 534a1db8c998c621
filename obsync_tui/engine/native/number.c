#include "number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "digits.h"

static int put_formatted(Buffer *out, double value, char format, int digits)
{
    char *text = PyOS_double_to_string(value, format, digits, 0, NULL);
    if (text == NULL)
        return -1;
    int done = buffer_put(out, text, strlen(text));
    PyMem_Free(text);
    return done;
}

#if FLT_EVAL_METHOD == 0
/* A decimal of at most 15 digits that reads back as the double is its shortest text, for no two of them read back as the
 * same. Dividing two whole numbers that a double holds rounds once, as reading the text does. 0 when it is not one. */
static int put_short_decimal(Buffer *out, double value)
{
    static const double POWERS[] = {1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0};
    double size = fabs(value);
    if (!(size < 1e15) || (size < 1e-3 && size != 0.0))
        return 0;
    for (int places = 0; places <= 6; places++) {
        double scaled = size * POWERS[places];
        if (!(scaled < 1e15))
            return 0;
        uint64_t whole = (uint64_t)(scaled + 0.5);
        if ((double)whole / POWERS[places] != size || whole >= 1000000000000000u)
            continue;
        uint8_t *to = buffer_room(out, 2 * DIGITS_ROOM);
        if (to == NULL)
            return -1;
        if (signbit(value))
            *to++ = '-';
        uint64_t power = (uint64_t)POWERS[places];
        to = digits_of(to, whole / power);
        if (places) {
            *to++ = '.';
            to = digits_padded(to, whole % power, places);
        }
        out->size = (size_t)(to - out->data);
        return 1;
    }
    return 0;
}
#else
static int put_short_decimal(Buffer *out, double value)
{
    (void)out, (void)value;
    return 0;
}
#endif

int number_double(Buffer *out, double value)
{
    int done = put_short_decimal(out, value);
    if (done)
        return done < 0 ? -1 : 0;
    if (!isfinite(value))
        return refuse("not a JSON number");
    return put_formatted(out, value, 'r', 0);
}

/* Tries one count of digits: 1 and the text is written, 0 when it reads back as another float32. */
static int try_digits(Buffer *out, double value, int digits)
{
    char *text = PyOS_double_to_string(value, 'g', digits, 0, NULL);
    if (text == NULL)
        return -1;
    double back = PyOS_string_to_double(text, NULL, NULL);
    int done = 0;
    if (back == -1.0 && PyErr_Occurred()) {
        done = -1;
    } else if (fabs(back) < 0x1.ffffffp127 && (double)(float)back == value) {
        /* The double's own text chooses where the exponent begins. */
        done = strchr(text, 'e') ? number_double(out, back) : buffer_put(out, text, strlen(text));
        done = done < 0 ? -1 : 1;
    }
    PyMem_Free(text);
    return done;
}

int number_float(Buffer *out, double value)
{
    if (!isfinite(value))
        return refuse("not a finite float32");
    /* Six digits always survive the way through a float32, but for the smallest ones, which have fewer. */
    int first = fabs(value) < FLT_MIN && value != 0.0 ? 1 : 6;
    for (int digits = first; digits < 8; digits++) {
        int done = try_digits(out, value, digits);
        if (done)
            return done < 0 ? -1 : 0;
    }
    for (int digits = 1; digits < 10; digits++) {
        int done = try_digits(out, value, digits);
        if (done)
            return done < 0 ? -1 : 0;
    }
    return refuse("not a float32");
}

static const uint8_t GROUP_BYTES[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
static const uint32_t GROUP_LIMIT[] = {1,      10,      100,      1000,      10000,
                                       100000, 1000000, 10000000, 100000000, 1000000000};

size_t number_decimal_bytes(int precision, int scale)
{
    int whole = precision - scale;
    return (size_t)((whole / 9 + scale / 9) * 4 + GROUP_BYTES[whole % 9] + GROUP_BYTES[scale % 9]);
}

int number_decimal(Buffer *out, const uint8_t *image, int precision, int scale)
{
    uint8_t plain[40], *at = plain;
    size_t size = number_decimal_bytes(precision, scale);
    int negative = !(image[0] & 0x80), whole = precision - scale, started = 0;
    for (size_t i = 0; i < size; i++)
        plain[i] = negative ? (uint8_t)~image[i] : image[i];
    plain[0] ^= 0x80;
    uint8_t *to = buffer_room(out, 128);
    if (to == NULL)
        return -1;
    if (negative)
        *to++ = '-';
    for (int width = whole % 9 ? whole % 9 : 9; whole > 0; whole -= width, width = 9) {
        uint64_t group = big_endian(at, GROUP_BYTES[width]);
        at += GROUP_BYTES[width];
        if (group >= GROUP_LIMIT[width])
            return refuse("a DECIMAL with too many digits in a group");
        if (started || group) {
            to = started ? digits_padded(to, group, 9) : digits_of(to, group);
            started = 1;
        }
    }
    if (!started)
        *to++ = '0';
    if (scale)
        *to++ = '.';
    for (int width = 9; scale > 0; scale -= width) {
        if (scale < 9)
            width = scale;
        uint64_t group = big_endian(at, GROUP_BYTES[width]);
        at += GROUP_BYTES[width];
        if (group >= GROUP_LIMIT[width])
            return refuse("a DECIMAL with too many digits in a group");
        to = digits_padded(to, group, width);
    }
    out->size = (size_t)(to - out->data);
    return 0;
}

int number_read(const uint8_t *text, size_t size, double *value)
{
    char copy[64], *end;
    if (size == 0 || size >= sizeof copy)
        return refuse("not a number's text");
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        if (!((c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'))
            return refuse("not a number's text");
    }
    memcpy(copy, text, size);
    copy[size] = 0;
    *value = PyOS_string_to_double(copy, &end, NULL);
    if (*value == -1.0 && PyErr_Occurred())
        return -1;
    return end == copy + size ? 0 : refuse("not a number's text");
}

int number_is_shortest(const uint8_t *text, size_t size)
{
    const uint8_t *at = text, *end = text + size, *first;
    if (at < end && *at == '-')
        at++;
    if (end - at > 16)
        return 0;
    first = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    ptrdiff_t whole = at - first;
    if (whole == 0 || whole > 15 || (whole > 1 && *first == '0'))
        return 0;
    if (at == end)
        return 1;
    if (*at++ != '.')
        return 0;
    const uint8_t *fraction = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    ptrdiff_t places = at - fraction;
    if (at != end || places == 0 || whole + places > 15 || end[-1] == '0')
        return 0;
    /* Below 0.0001 the text has an exponent. */
    return *first != '0' || places < 4 || memcmp(fraction, "0000", 4) != 0;
}
