#include "image.h"

static int null_field(const Column *column, Field *field)
{
    if (!column->nullable)
        return refuse("NULL in a NOT NULL column");
    field->at = NULL;
    field->size = 0;
    return 0;
}

/* The NULL bitmap, then the values that are there. */
static int walk_binlog(const Program *program, const uint8_t **from, const uint8_t *end, Field *fields)
{
    const uint8_t *nulls = *from, *at = nulls;
    size_t bitmap = (program->width + 7) / 8;
    if ((size_t)(end - at) < bitmap)
        return refuse("a row image ends early");
    at += bitmap;
    for (size_t i = 0; i < program->width; i++) {
        const Column *column = &program->columns[i];
        if (nulls[i / 8] >> (i % 8) & 1) {
            if (null_field(column, &fields[i]) < 0)
                return -1;
            continue;
        }
        size_t size;
        if (column->width > 0) {
            size = (size_t)column->width;
        } else {
            size_t prefix = (size_t)-column->width;
            if ((size_t)(end - at) < prefix)
                return refuse("a row image ends early");
            size = (size_t)little_endian(at, prefix);
            at += prefix;
        }
        if ((size_t)(end - at) < size)
            return refuse("a row image ends early");
        fields[i].at = at;
        fields[i].size = size;
        at += size;
    }
    *from = at;
    return 0;
}

/* Length-encoded values, 251 for NULL. */
static int walk_result(const Program *program, const uint8_t **from, const uint8_t *end, Field *fields)
{
    static const uint8_t PREFIX[] = {2, 3, 8};
    const uint8_t *at = *from;
    for (size_t i = 0; i < program->width; i++) {
        if (at == end)
            return refuse("a row ends early");
        uint64_t size = *at++;
        if (size == 251) {
            if (null_field(&program->columns[i], &fields[i]) < 0)
                return -1;
            continue;
        }
        if (size > 251) {
            size_t prefix = size < 255 ? PREFIX[size - 252] : 0;
            if (prefix == 0 || (size_t)(end - at) < prefix)
                return refuse("a row ends early");
            size = little_endian(at, prefix);
            at += prefix;
        }
        if ((uint64_t)(end - at) < size)
            return refuse("a row ends early");
        fields[i].at = at;
        fields[i].size = (size_t)size;
        at += size;
    }
    *from = at;
    return 0;
}

int image_walk(const Program *program, const uint8_t **at, const uint8_t *end, Field *fields)
{
    return program->result_set ? walk_result(program, at, end, fields) : walk_binlog(program, at, end, fields);
}
