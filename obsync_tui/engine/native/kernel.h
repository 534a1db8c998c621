/* What every file of the kernel needs: CPython's stable interface since 3.11, and how a value is refused.
 *
 * Functions that can fail return -1 (or NULL) with a Python exception set, else 0 (or what they made). A ValueError means
 * that the kernel does not judge the value: the caller asks the Python back-end, whose answer or error stands.
 */
#ifndef OBSYNC_KERNEL_H
#define OBSYNC_KERNEL_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline int refuse(const char *why)
{
    PyErr_SetString(PyExc_ValueError, why);
    return -1;
}

static inline uint64_t little_endian(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static inline uint64_t big_endian(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

#endif
