/* Values of a result set that already are text (rowplan/text.py is the reference). */
#ifndef OBSYNC_READY_H
#define OBSYNC_READY_H

#include "image.h"

/* Appends the text; ValueError for what the server does not write. */
int ready_text(Buffer *out, const Column *column, const Field *field);

#endif
