#include "plan.h"

#include "digits.h"
#include "message.h"

typedef struct {
    PyObject_HEAD
    Program program;
} Plan;

static PyObject *plan_new(PyTypeObject *type, PyObject *arguments, PyObject *names)
{
    PyObject *source;
    if (names != NULL && PyDict_Size(names) > 0) {
        PyErr_SetString(PyExc_TypeError, "Plan takes no named arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!", &PyTuple_Type, &source))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Plan *self = (Plan *)allocate(type, 0);
    if (self == NULL)
        return NULL;
    if (program_read(&self->program, source) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void plan_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    program_free(&((Plan *)self)->program);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static int walk_body(const Program *program, Work *work, Told *told, PyObject *body, size_t start)
{
    char *data;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(body, &data, &length) < 0)
        return -1;
    if ((size_t)length < program->trailer || (size_t)length - program->trailer < start)
        return refuse("a body ends before its first image");
    const uint8_t *at = (const uint8_t *)data + start, *end = (const uint8_t *)data + length - program->trailer;
    /* A body of a result set is one row, one of a binlog as many as fit. */
    int again = program->result_set || at < end;
    while (again) {
        told->rows++;
        for (int image = 0; image < program->images; image++) {
            Field *fields = work->fields + (size_t)(program->first_image + image) * program->width;
            if (image_walk(program, &at, end, fields) < 0)
                return -1;
        }
        if (program->emits) {
            if (message_row(program, work, told) < 0)
                return -1;
            work_next_row(work, program);
        }
        again = !program->result_set && at < end;
    }
    return at == end ? 0 : refuse("a body is longer than its images");
}

static int walk(const Program *program, Work *work, Told *told, PyObject *bodies, size_t start)
{
    /* Asked for each time: Python code that a column calls might change the list. */
    for (Py_ssize_t i = 0; i < PyList_Size(bodies); i++) {
        PyObject *body = PyList_GetItem(bodies, i);
        if (body == NULL)
            return -1;
        Py_INCREF(body);
        int done = walk_body(program, work, told, body, start);
        Py_DECREF(body);
        if (done < 0)
            return -1;
    }
    return 0;
}

/* Nothing is appended before all of the call has been made, so that a refused call leaves no trace. */
static int append_all(const Program *program, const Work *work, PyObject *lanes)
{
    size_t count = program->hash == HASH_FIXED ? program->fixed + 1 : program->partitions;
    if (program->emits && (size_t)PyList_Size(lanes) < count)
        return refuse("fewer lanes than partitions");
    for (size_t i = 0; i < work->made_size; i++) {
        PyObject *lane = PyList_GetItem(lanes, (Py_ssize_t)work->made[i].lane);
        if (lane == NULL || PyList_Append(lane, work->made[i].message) < 0)
            return -1;
    }
    return 0;
}

static int tell(Told *told, const Program *program, int64_t commit_s, PyObject *gtid, int64_t gno, uint8_t *texts)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(gtid, &size);
    if (text == NULL)
        return -1;
    const int64_t limit = INT64_MAX / 4;
    if (commit_s > limit / 100000 || commit_s < -limit / 100000 || told->sequence > limit)
        return refuse("a number out of range");
    if (program->numbered && told->sequence < commit_s * 100000)
        told->sequence = commit_s * 100000;
    uint8_t *end = digits_of_signed(texts, commit_s);
    Piece *pieces = told->variables;
    pieces[VARIABLE_COMMIT_S] = (Piece){texts, (size_t)(end - texts)};
    pieces[VARIABLE_GNO] = (Piece){end, (size_t)(digits_of_signed(end, gno) - end)};
    pieces[VARIABLE_GTID] = (Piece){(const uint8_t *)text, (size_t)size};
    return 0;
}

static PyObject *plan_run(PyObject *self, PyObject *arguments)
{
    const Program *program = &((Plan *)self)->program;
    PyObject *bodies, *gtid, *lanes, *result = NULL;
    Py_ssize_t start;
    long long commit_s, gno, sequence;
    uint8_t texts[2 * DIGITS_ROOM];
    Told told = {0};
    if (!PyArg_ParseTuple(arguments, "O!nLULLO!", &PyList_Type, &bodies, &start, &commit_s, &gtid, &gno, &sequence,
                          &PyList_Type, &lanes))
        return NULL;
    told.sequence = sequence;
    if (start < 0 || tell(&told, program, commit_s, gtid, gno, texts) < 0) {
        if (!PyErr_Occurred())
            refuse("a start before the body");
        return NULL;
    }
    Work *work = work_take(program);
    if (work == NULL)
        return NULL;
    if (walk(program, work, &told, bodies, (size_t)start) == 0 && append_all(program, work, lanes) == 0)
        result = Py_BuildValue("nLnn", (Py_ssize_t)told.rows, (long long)told.sequence, (Py_ssize_t)told.bytes,
                               (Py_ssize_t)told.largest);
    work_give(work);
    return result;
}

static PyMethodDef methods[] = {
    {"run", plan_run, METH_VARARGS,
     "run(bodies, start, commit_s, gtid, gno, sequence, lanes): what a RowPlan gives. ValueError: not judged here."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, plan_new},
    {Py_tp_dealloc, plan_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_doc, "A row plan's program, held in memory of its own."},
    {0, NULL},
};

static PyType_Spec spec = {"obsync_tui.engine.native._kernel.Plan", sizeof(Plan), 0, Py_TPFLAGS_DEFAULT, slots};

PyObject *plan_type(void)
{
    return PyType_FromSpec(&spec);
}
