#include "column.h"

#include "digits.h"
#include "number.h"
#include "ready.h"
#include "temporal.h"

static int put_integer(Buffer *out, const Field *field, int is_signed)
{
    uint8_t *to = buffer_room(out, DIGITS_ROOM);
    if (to == NULL)
        return -1;
    uint64_t value = little_endian(field->at, field->size);
    if (is_signed) {
        unsigned unused = 64 - 8 * (unsigned)field->size;
        uint64_t sign = (uint64_t)1 << 63 >> unused;
        to = digits_of_signed(to, (int64_t)((value ^ sign) - sign));
    } else {
        to = digits_of(to, value);
    }
    out->size = (size_t)(to - out->data);
    return 0;
}

static int put_temporal(Buffer *out, const Column *column, const Field *field)
{
    uint8_t *to = buffer_room(out, TEMPORAL_ROOM);
    if (to == NULL)
        return -1;
    size_t fraction = (size_t)column->first;
    switch (column->code) {
    case CODE_DATE: to = temporal_date(to, field->at); break;
    case CODE_TIMESTAMP: to = temporal_timestamp(to, field->at, fraction); break;
    case CODE_DATETIME: to = temporal_datetime(to, field->at, fraction); break;
    default: to = temporal_time(to, field->at, fraction); break;
    }
    if (to == NULL)
        return -1;
    out->size = (size_t)(to - out->data);
    return 0;
}

static int put_float(Buffer *out, const Field *field)
{
    uint32_t bits = (uint32_t)little_endian(field->at, 4);
    float value;
    memcpy(&value, &bits, 4);
    return number_float(out, value);
}

static int put_double(Buffer *out, const Field *field)
{
    uint64_t bits = little_endian(field->at, 8);
    double value;
    memcpy(&value, &bits, 8);
    return number_double(out, value);
}

static int put_piece(Buffer *out, const Column *column, size_t index, int json)
{
    if (index >= column->pieces_size || column->pieces[index].bytes == NULL)
        return refuse("an unknown member");
    return text_utf8(out, column->pieces[index].bytes, column->pieces[index].size, 1, json);
}

static int put_members(Buffer *out, const Column *column, const Field *field, int json)
{
    uint64_t mask = little_endian(field->at, field->size);
    int first = 1;
    for (size_t i = 0; mask; i++, mask >>= 1) {
        if (!(mask & 1))
            continue;
        if ((!first && buffer_byte(out, ',') < 0) || put_piece(out, column, i, json) < 0)
            return -1;
        first = 0;
    }
    return 0;
}

/* What the column's own function makes of the bytes, kept in UTF-8. */
static int put_call(Buffer *out, const Column *column, const Field *field, PyObject **made, int json)
{
    if (column->first && text_is_ascii(field->at, field->size))
        return text_utf8(out, field->at, field->size, 0, json);
    if (*made == NULL) {
        PyObject *bytes = PyBytes_FromStringAndSize((const char *)field->at, (Py_ssize_t)field->size);
        if (bytes == NULL)
            return -1;
        PyObject *text = PyObject_CallFunctionObjArgs(column->extra, bytes, NULL);
        Py_DECREF(bytes);
        if (text == NULL)
            return -1;
        *made = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
        Py_DECREF(text);
        if (*made == NULL)
            return -1;
    }
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(*made, &data, &size) < 0)
        return -1;
    return text_utf8(out, (const uint8_t *)data, (size_t)size, 1, json);
}

static int put_year(Buffer *out, const Field *field)
{
    uint8_t *to = buffer_room(out, DIGITS_ROOM);
    if (to == NULL)
        return -1;
    to = digits_of(to, field->at[0] ? field->at[0] + 1900u : 0u);
    out->size = (size_t)(to - out->data);
    return 0;
}

int column_text(Buffer *out, const Column *column, const Field *field, PyObject **made, int json)
{
    switch (column->code) {
    case CODE_SIGNED: return put_integer(out, field, 1);
    case CODE_UNSIGNED: return put_integer(out, field, 0);
    case CODE_FLOAT: return put_float(out, field);
    case CODE_DOUBLE: return put_double(out, field);
    case CODE_YEAR: return put_year(out, field);
    case CODE_DATE:
    case CODE_TIMESTAMP:
    case CODE_DATETIME:
    case CODE_TIME: return put_temporal(out, column, field);
    case CODE_DECIMAL: return number_decimal(out, field->at, column->first, column->second);
    case CODE_BASE64: return text_base64(out, field->at, field->size, (size_t)column->first);
    case CODE_ENUM: return put_piece(out, column, (size_t)little_endian(field->at, field->size), json);
    case CODE_SET: return put_members(out, column, field, json);
    case CODE_UTF8: return text_utf8(out, field->at, field->size, column->first, json);
    case CODE_SINGLE: return text_single(out, field->at, field->size, column->set, json);
    case CODE_CALL: return put_call(out, column, field, made, json);
    default: return ready_text(out, column, field);
    }
}

int column_json(Buffer *out, const Column *column, const Field *field, PyObject **made)
{
    if (field->at == NULL)
        return buffer_put(out, "null", 4);
    if (column->quoting == QUOTING_PLAIN)
        return column_text(out, column, field, made, 0);
    if (buffer_byte(out, '"') < 0 ||
        column_text(out, column, field, made, column->quoting == QUOTING_ESCAPED) < 0)
        return -1;
    return buffer_byte(out, '"');
}
