/* Floats and decimals as text (values/numbers.py and values/rowimage.py are the reference). */
#ifndef OBSYNC_NUMBER_H
#define OBSYNC_NUMBER_H

#include "buffer.h"

/* The shortest text that reads back as the same double, without ".0"; ValueError for infinity and NaN. */
int number_double(Buffer *out, double value);
/* The shortest text that reads back as the same float32; ValueError for what is not a finite float32. */
int number_float(Buffer *out, double value);
/* A packed DECIMAL of as many bytes as its type asks for; ValueError for a group of too many digits. */
int number_decimal(Buffer *out, const uint8_t *image, int precision, int scale);
size_t number_decimal_bytes(int precision, int scale);
/* Text of a result set: what float() reads, kept to digits, signs, point and exponent; ValueError for more. */
int number_read(const uint8_t *text, size_t size, double *value);
/* Whether the text of a double is already the shortest one. */
int number_is_shortest(const uint8_t *text, size_t size);

#endif
