#include "program.h"

#include <stdlib.h>

static void *zeroed(size_t count, size_t size)
{
    void *made = calloc(count ? count : 1, size);
    if (made == NULL)
        PyErr_NoMemory();
    return made;
}

static int piece_of(PyObject *bytes, Piece *piece)
{
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return -1;
    piece->bytes = (const uint8_t *)data;
    piece->size = (size_t)size;
    return 0;
}

static int read_pieces(Column *column)
{
    Py_ssize_t size = PyTuple_Size(column->extra);
    if (size < 0)
        return -1;
    column->pieces = zeroed((size_t)size, sizeof *column->pieces);
    if (column->pieces == NULL)
        return -1;
    column->pieces_size = (size_t)size;
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *text = PyTuple_GetItem(column->extra, i);
        if (text != Py_None && piece_of(text, &column->pieces[i]) < 0)
            return -1;
    }
    return 0;
}

static int read_set(Column *column)
{
    if (PyTuple_Size(column->extra) != 256)
        return PyErr_Occurred() ? -1 : refuse("a character set has 256 texts");
    column->set = zeroed(1, sizeof *column->set);
    if (column->set == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < 256; i++) {
        Piece piece;
        PyObject *text = PyTuple_GetItem(column->extra, i);
        if (text == Py_None)
            continue;
        if (piece_of(text, &piece) < 0)
            return -1;
        if (piece.size > 3)
            return refuse("a character of more than three bytes");
        memcpy(column->set->bytes[i], piece.bytes, piece.size);
        column->set->size[i] = (uint8_t)piece.size;
    }
    return 0;
}

static int width_fits(const Program *program, const Column *column)
{
    int width = column->width;
    if (program->result_set)
        return 1;
    if (width < -4 || width > 64 || width == 0)
        return 0;
    switch (column->code) {
    case CODE_SIGNED:
    case CODE_UNSIGNED:
    case CODE_SET: return width >= 1 && width <= 8;
    case CODE_ENUM: return width == 1 || width == 2;
    case CODE_YEAR: return width == 1;
    case CODE_FLOAT: return width == 4;
    case CODE_DOUBLE: return width == 8;
    case CODE_DATE: return width == 3;
    case CODE_TIMESTAMP: return column->first >= 0 && column->first <= 3 && width == 4 + column->first;
    case CODE_DATETIME: return column->first >= 0 && column->first <= 3 && width == 5 + column->first;
    case CODE_TIME: return column->first >= 0 && column->first <= 3 && width == 3 + column->first;
    default: return 1;
    }
}

static int read_column(Program *program, Column *column, PyObject *source)
{
    if (!PyArg_ParseTuple(source, "iiipiiO", &column->width, &column->code, &column->quoting, &column->nullable,
                          &column->first, &column->second, &column->extra))
        return -1;
    int ready = column->code >= CODE_READY;
    int packed = column->code < CODE_BASE64 || column->code == CODE_ENUM || column->code == CODE_SET;
    if (column->code < 0 || column->code >= CODES || (program->result_set ? packed : ready))
        return refuse("a column's code");
    if (column->code == CODE_DECIMAL) {
        int precision = column->first, scale = column->second;
        if (precision < 1 || precision > 65 || scale < 0 || scale > precision || scale > 30)
            return refuse("a DECIMAL's precision");
    }
    if (!width_fits(program, column) || column->quoting < QUOTING_PLAIN || column->quoting > QUOTING_ESCAPED)
        return refuse("a column's width or quoting");
    if (column->code == CODE_CALL)
        program->calls++;
    if (column->code == CODE_ENUM || column->code == CODE_SET)
        return read_pieces(column);
    return column->code == CODE_SINGLE ? read_set(column) : 0;
}

static int known_value(const Program *program, int image, int column)
{
    int walked = program->images == 2 || image == program->first_image;
    return (image == IMAGE_BEFORE || image == IMAGE_AFTER) && walked && column >= 0 &&
           (size_t)column < program->width;
}

static int read_operation(const Program *program, Operation *operation, PyObject *source)
{
    if (PyBytes_Check(source)) {
        operation->operator= OPERATOR_LITERAL;
        return piece_of(source, &operation->literal);
    }
    if (!PyArg_ParseTuple(source, "iiiii", &operation->operator, &operation->image, &operation->column,
                          &operation->escaped, &operation->variable))
        return -1;
    switch (operation->operator) {
    case OPERATOR_VALUE:
    case OPERATOR_TEXT:
        return known_value(program, operation->image, operation->column) ? 0 : refuse("an operation's column");
    case OPERATOR_VARIABLE:
        return operation->variable >= 0 && operation->variable < VARIABLES ? 0 : refuse("an operation's variable");
    default: return refuse("an operation");
    }
}

static int read_message(const Program *program, Message *message, PyObject *source)
{
    PyObject *operations;
    if (!PyArg_ParseTuple(source, "iO!", &message->key_image, &PyTuple_Type, &operations))
        return -1;
    if (!known_value(program, message->key_image, 0))
        return refuse("a key's image");
    message->size = (size_t)PyTuple_Size(operations);
    message->operations = zeroed(message->size, sizeof *message->operations);
    if (message->operations == NULL)
        return -1;
    for (size_t i = 0; i < message->size; i++)
        if (read_operation(program, &message->operations[i], PyTuple_GetItem(operations, (Py_ssize_t)i)) < 0)
            return -1;
    return 0;
}

static int read_ordinals(const Program *program, Ordinals *ordinals, PyObject *source)
{
    ordinals->size = (size_t)PyTuple_Size(source);
    ordinals->columns = zeroed(ordinals->size, sizeof *ordinals->columns);
    if (ordinals->columns == NULL)
        return -1;
    for (size_t i = 0; i < ordinals->size; i++) {
        ordinals->columns[i] = PyLong_AsSize_t(PyTuple_GetItem(source, (Py_ssize_t)i));
        if (ordinals->columns[i] == (size_t)-1 && PyErr_Occurred())
            return -1;
        if (ordinals->columns[i] >= program->width)
            return refuse("an ordinal");
    }
    return 0;
}

static int read_routing(Program *program, PyObject *source)
{
    PyObject *key, *hashed, *split;
    Py_ssize_t partitions, fixed;
    if (!PyArg_ParseTuple(source, "iO!O!O!iinn", &program->key_form, &PyTuple_Type, &key, &PyTuple_Type, &hashed,
                          &PyTuple_Type, &split, &program->hash, &program->hash_is_key, &partitions, &fixed))
        return -1;
    if (program->key_form < KEY_NONE || program->key_form > KEY_JSON || program->hash < HASH_FIXED ||
        program->hash > HASH_MURMUR2 || partitions < 1 || partitions > INT32_MAX || fixed < 0)
        return refuse("a routing");
    program->partitions = (size_t)partitions;
    program->fixed = (size_t)fixed;
    if (read_ordinals(program, &program->key, key) < 0 || read_ordinals(program, &program->hashed, hashed) < 0)
        return -1;
    return read_ordinals(program, &program->split, split);
}

int program_read(Program *program, PyObject *source)
{
    PyObject *columns, *messages, *routing;
    Py_ssize_t trailer;
    if (!PyArg_ParseTuple(source, "pniippO!O!O!", &program->result_set, &trailer, &program->images,
                          &program->first_image, &program->emits, &program->numbered, &PyTuple_Type, &columns,
                          &PyTuple_Type, &messages, &PyTuple_Type, &routing))
        return -1;
    Py_INCREF(source);
    program->source = source;
    program->trailer = (size_t)trailer;
    program->width = (size_t)PyTuple_Size(columns);
    program->messages_size = (size_t)PyTuple_Size(messages);
    int updates = program->images == 2;
    if (trailer < 0 || trailer > 64 || program->width == 0 || program->messages_size != (updates ? 3u : 1u) ||
        program->images < 1 || program->images > 2 || program->first_image < IMAGE_BEFORE ||
        program->first_image > IMAGE_AFTER || (updates && program->first_image != IMAGE_BEFORE))
        return refuse("a program's shape");
    program->columns = zeroed(program->width, sizeof *program->columns);
    if (program->columns == NULL)
        return -1;
    for (size_t i = 0; i < program->width; i++)
        if (read_column(program, &program->columns[i], PyTuple_GetItem(columns, (Py_ssize_t)i)) < 0)
            return -1;
    for (size_t i = 0; i < program->messages_size; i++)
        if (read_message(program, &program->messages[i], PyTuple_GetItem(messages, (Py_ssize_t)i)) < 0)
            return -1;
    return read_routing(program, routing);
}

void program_free(Program *program)
{
    if (program->columns != NULL)
        for (size_t i = 0; i < program->width; i++) {
            free(program->columns[i].pieces);
            free(program->columns[i].set);
        }
    free(program->columns);
    for (size_t i = 0; i < 3; i++)
        free(program->messages[i].operations);
    free(program->key.columns);
    free(program->hashed.columns);
    free(program->split.columns);
    Py_CLEAR(program->source);
}
