/* A column's text, from its raw value. */
#ifndef OBSYNC_COLUMN_H
#define OBSYNC_COLUMN_H

#include "image.h"

/* Appends the plain text, or with `json` the inside of a JSON string. The field is not NULL. `made` keeps what a Python
 * function gave for the field. */
int column_text(Buffer *out, const Column *column, const Field *field, PyObject **made, int json);
/* Appends the value as JSON, `null` for NULL. */
int column_json(Buffer *out, const Column *column, const Field *field, PyObject **made);

#endif
