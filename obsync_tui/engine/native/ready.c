#include "ready.h"

#include "number.h"
#include "temporal.h"

/* Digits, signs, points, letters of exponents, colons and blanks: nothing that JSON escapes. */
static int is_ready(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        int letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '+' && c <= ':') && c != ' ')
            return 0;
    }
    return 1;
}

/* A sign in front of the digits, and the zeros that have no meaning there. */
static int put_without_leading_zeros(Buffer *out, const uint8_t *text, size_t size, int is_signed_zero)
{
    const uint8_t *at = text, *end = text + size;
    int negative = at < end && *at == '-';
    at += negative;
    if (at == end || *at < '0' || *at > '9')
        return refuse("not a number's text");
    while (end - at > 1 && at[0] == '0' && at[1] != '.')
        at++;
    if (negative && (is_signed_zero || *at != '0') && buffer_byte(out, '-') < 0)
        return -1;
    return buffer_put(out, at, (size_t)(end - at));
}

static int is_digits(const uint8_t *text, size_t size)
{
    size_t at = size && text[0] == '-' ? 1 : 0;
    for (size_t i = at; i < size; i++)
        if (text[i] < '0' || text[i] > '9')
            return 0;
    return size > at && size < 64;
}

static int put_trimmed(Buffer *out, const uint8_t *text, size_t size)
{
    while (size && text[size - 1] == '0')
        size--;
    while (size && text[size - 1] == '.')
        size--;
    return buffer_put(out, text, size);
}

static int put_timestamp(Buffer *out, const uint8_t *text, size_t size, int fraction)
{
    size_t start = out->size;
    if (fraction && memchr(text, '.', size) != NULL) {
        if (put_trimmed(out, text, size) < 0)
            return -1;
    } else if (buffer_put(out, text, size) < 0) {
        return -1;
    }
    if (out->size - start != 1 || out->data[start] != '0')
        return 0;
    out->size = start;
    return buffer_put(out, ZERO_TIME, sizeof ZERO_TIME - 1);
}

static int put_read(Buffer *out, const uint8_t *text, size_t size, int is_float)
{
    double value;
    if (!is_float && number_is_shortest(text, size))
        return buffer_put(out, text, size);
    if (number_read(text, size, &value) < 0)
        return -1;
    return is_float ? number_float(out, value) : number_double(out, value);
}

int ready_text(Buffer *out, const Column *column, const Field *field)
{
    const uint8_t *text = field->at;
    size_t size = field->size;
    if (!is_ready(text, size))
        return refuse("not a text of this type");
    switch (column->code) {
    case CODE_READY: return buffer_put(out, text, size);
    case CODE_READY_TIMESTAMP: return put_timestamp(out, text, size, column->first);
    case CODE_READY_FRACTION: return put_trimmed(out, text, size);
    case CODE_READY_INTEGER:
        return is_digits(text, size) ? put_without_leading_zeros(out, text, size, 0) : refuse("not a whole number");
    case CODE_READY_DECIMAL: return put_without_leading_zeros(out, text, size, 1);
    case CODE_READY_FLOAT: return put_read(out, text, size, 1);
    case CODE_READY_DOUBLE: return put_read(out, text, size, 0);
    default: return refuse("a column's code");
    }
}
