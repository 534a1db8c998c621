#include "buffer.h"

#include <stdlib.h>

int buffer_grow(Buffer *buffer, size_t more)
{
    if (more > PY_SSIZE_T_MAX - buffer->size) {
        PyErr_NoMemory();
        return -1;
    }
    size_t room = buffer->size + more;
    if (room < 2 * buffer->room)
        room = 2 * buffer->room;
    if (room < 1024)
        room = 1024;
    uint8_t *data = realloc(buffer->data, room);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    buffer->data = data;
    buffer->room = room;
    return 0;
}

void buffer_free(Buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->size = buffer->room = 0;
}
