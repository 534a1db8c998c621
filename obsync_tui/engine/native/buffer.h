/* Bytes that grow. */
#ifndef OBSYNC_BUFFER_H
#define OBSYNC_BUFFER_H

#include "kernel.h"

typedef struct {
    uint8_t *data;
    size_t size, room;
} Buffer;

/* Makes room for more bytes; MemoryError when there is none. */
int buffer_grow(Buffer *buffer, size_t more);
void buffer_free(Buffer *buffer);

/* Where the next bytes go, with room for `more`; NULL is MemoryError. The caller adds what it wrote to `size`. */
static inline uint8_t *buffer_room(Buffer *buffer, size_t more)
{
    if ((buffer->data == NULL || buffer->room - buffer->size < more) && buffer_grow(buffer, more) < 0)
        return NULL;
    return buffer->data + buffer->size;
}

static inline int buffer_put(Buffer *buffer, const void *bytes, size_t size)
{
    uint8_t *to = buffer_room(buffer, size);
    if (to == NULL)
        return -1;
    memcpy(to, bytes, size);
    buffer->size += size;
    return 0;
}

static inline int buffer_byte(Buffer *buffer, uint8_t byte)
{
    return buffer_put(buffer, &byte, 1);
}

#endif
