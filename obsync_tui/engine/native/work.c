#include "work.h"

#include <stdlib.h>

/* What a usual batch needs stays allocated; an unusual one's memory is given back. */
#define KEPT_BYTES (1 << 20)
#define KEPT_MESSAGES (1 << 14)

static Work shared;

static int make_fields(Work *work, size_t count)
{
    if (work->fields_room >= count)
        return 0;
    Field *fields = realloc(work->fields, count * sizeof *fields);
    if (fields != NULL)
        work->fields = fields;
    PyObject **texts = realloc(work->texts, count * sizeof *texts);
    if (texts != NULL)
        work->texts = texts;
    if (fields == NULL || texts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memset(texts, 0, count * sizeof *texts);
    work->fields_room = count;
    return 0;
}

static void trim(Buffer *buffer, size_t kept)
{
    buffer->size = 0;
    if (buffer->room > kept)
        buffer_free(buffer);
}

static void release(Work *work, size_t kept_bytes, size_t kept_messages)
{
    for (size_t i = 0; i < work->fields_room; i++)
        Py_CLEAR(work->texts[i]);
    for (size_t i = 0; i < work->made_size; i++)
        Py_DECREF(work->made[i].message);
    work->made_size = 0;
    trim(&work->value, kept_bytes);
    trim(&work->key, kept_bytes);
    trim(&work->hashed, kept_bytes);
    if (work->made_room > kept_messages) {
        free(work->made);
        work->made = NULL;
        work->made_room = 0;
    }
}

Work *work_take(const Program *program)
{
    Work *work = &shared;
    if (shared.taken) {
        work = calloc(1, sizeof *work);
        if (work == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
    }
    work->taken = 1;
    if (make_fields(work, 2 * program->width) < 0) {
        work_give(work);
        return NULL;
    }
    return work;
}

void work_give(Work *work)
{
    if (work == &shared) {
        release(work, KEPT_BYTES, KEPT_MESSAGES);
        work->taken = 0;
        return;
    }
    release(work, 0, 0);
    free(work->fields);
    free(work->texts);
    free(work);
}

void work_next_row(Work *work, const Program *program)
{
    if (program->calls)
        for (size_t i = 0; i < 2 * program->width; i++)
            Py_CLEAR(work->texts[i]);
}

int work_add(Work *work, PyObject *message, size_t lane)
{
    if (work->made_size == work->made_room) {
        size_t room = work->made_room ? 2 * work->made_room : 256;
        Made *made = realloc(work->made, room * sizeof *made);
        if (made == NULL) {
            Py_DECREF(message);
            PyErr_NoMemory();
            return -1;
        }
        work->made = made;
        work->made_room = room;
    }
    work->made[work->made_size].message = message;
    work->made[work->made_size++].lane = lane;
    return 0;
}
