/* The extension module `_kernel`. */
#include "message.h"
#include "plan.h"

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernel", "Row plans in C; obsync_tui.engine.rowplan.native is their only caller.",
    -1, NULL, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void)
{
    PyObject *module = PyModule_Create(&definition), *type = plan_type();
    if (module == NULL || type == NULL || message_prepare() < 0 || PyModule_AddObjectRef(module, "Plan", type) < 0)
        Py_CLEAR(module);
    Py_XDECREF(type);
    return module;
}
