/* The extension module `_kernel`. */
#include "hashing.h"
#include "message.h"
#include "packets.h"
#include "plan.h"

static PyMethodDef functions[] = {
    {"payloads", packets_payloads, METH_O,
     "payloads(data): the whole payloads at the start, up to one of the greatest size, and where they end."},
    {"joining", packets_joining, METH_VARARGS,
     "joining(packets, at, checksum, table_map, kind, head, bodies): rows that go on with a group; (next, bytes)."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernel", "Row plans and packets in C.", -1, functions, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void)
{
    hashing_prepare();
    PyObject *module = PyModule_Create(&definition), *type = plan_type();
    if (module == NULL || type == NULL || message_prepare() < 0 || PyModule_AddObjectRef(module, "Plan", type) < 0)
        Py_CLEAR(module);
    Py_XDECREF(type);
    return module;
}
