/* What one call works with: the row at hand and the messages made so far. */
#ifndef OBSYNC_WORK_H
#define OBSYNC_WORK_H

#include "image.h"

typedef struct {
    PyObject *message; /* owned */
    size_t lane;
} Made;

typedef struct {
    Buffer value, key, hashed;
    Field *fields;     /* of the images before and after, one behind the other */
    PyObject **texts;  /* what Python functions made of them, owned */
    size_t fields_room;
    Made *made;
    size_t made_size, made_room;
    int taken;
} Work;

/* The process' one Work, or one of its own for a call inside a call; give it back. */
Work *work_take(const Program *program);
void work_give(Work *work);
/* Forgets what Python functions made of the row. */
void work_next_row(Work *work, const Program *program);
/* Adds a message for a lane, which takes the reference. */
int work_add(Work *work, PyObject *message, size_t lane);

#endif
