/* The Python type that holds a program and runs it. */
#ifndef OBSYNC_PLAN_H
#define OBSYNC_PLAN_H

#include "kernel.h"

/* A reference to the type Plan. */
PyObject *plan_type(void);

#endif
