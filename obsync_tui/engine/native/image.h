/* Row images: where each column's raw value lies. */
#ifndef OBSYNC_IMAGE_H
#define OBSYNC_IMAGE_H

#include "program.h"

typedef struct {
    const uint8_t *at; /* NULL for NULL */
    size_t size;
} Field;

/* Walks one image from *at, which moves behind it; nothing from `end` on is read. ValueError for an image that does not
 * fit, or NULL where the table has none. */
int image_walk(const Program *program, const uint8_t **at, const uint8_t *end, Field *fields);

#endif
