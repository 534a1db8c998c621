#include "message.h"

#include "column.h"
#include "digits.h"
#include "hashing.h"

#define SEPARATOR 1

static PyObject *name_of_key, *name_of_value;

int message_prepare(void)
{
    if (name_of_key == NULL)
        name_of_key = PyUnicode_InternFromString("key");
    if (name_of_value == NULL)
        name_of_value = PyUnicode_InternFromString("value");
    return name_of_key != NULL && name_of_value != NULL ? 0 : -1;
}

static int put_text(Buffer *out, const Program *program, Work *work, size_t column, int image, int escaped)
{
    size_t place = (size_t)image * program->width + column;
    if (work->fields[place].at == NULL)
        return buffer_put(out, "null", 4);
    return column_text(out, &program->columns[column], &work->fields[place], &work->texts[place], escaped);
}

static int put_json(Buffer *out, const Program *program, Work *work, size_t column, int image)
{
    size_t place = (size_t)image * program->width + column;
    return column_json(out, &program->columns[column], &work->fields[place], &work->texts[place]);
}

static int put_texts(Buffer *out, const Program *program, Work *work, const Ordinals *ordinals, int image)
{
    out->size = 0;
    for (size_t i = 0; i < ordinals->size; i++)
        if ((i && buffer_byte(out, SEPARATOR) < 0) || put_text(out, program, work, ordinals->columns[i], image, 0) < 0)
            return -1;
    return 0;
}

static int put_key(const Program *program, Work *work, int image)
{
    Buffer *out = &work->key;
    out->size = 0;
    if (program->key_form == KEY_NONE)
        return 0;
    if (program->key_form == KEY_TEXTS)
        return put_texts(out, program, work, &program->key, image);
    for (size_t i = 0; i < program->key.size; i++)
        if (buffer_byte(out, i ? ',' : '[') < 0 || put_json(out, program, work, program->key.columns[i], image) < 0)
            return -1;
    return buffer_byte(out, ']');
}

static int find_lane(const Program *program, Work *work, int image, size_t *lane)
{
    if (program->hash == HASH_FIXED) {
        *lane = program->fixed;
        return 0;
    }
    const Buffer *from = program->hash_is_key ? &work->key : &work->hashed;
    if (!program->hash_is_key && put_texts(&work->hashed, program, work, &program->hashed, image) < 0)
        return -1;
    uint32_t hash = program->hash == HASH_CRC32 ? hashing_crc32(from->data, from->size)
                                                : hashing_murmur2(from->data, from->size) & 0x7FFFFFFF;
    *lane = hash % program->partitions;
    return 0;
}

static int put_value(const Program *program, const Message *message, Work *work, const Told *told)
{
    Buffer *out = &work->value;
    out->size = 0;
    for (size_t i = 0; i < message->size; i++) {
        const Operation *operation = &message->operations[i];
        size_t column = (size_t)operation->column;
        const Piece *piece = &operation->literal;
        int done;
        switch (operation->operator) {
        case OPERATOR_VALUE: done = put_json(out, program, work, column, operation->image); break;
        case OPERATOR_TEXT: done = put_text(out, program, work, column, operation->image, operation->escaped); break;
        case OPERATOR_VARIABLE: piece = &told->variables[operation->variable]; /* fall through */
        default: done = buffer_put(out, piece->bytes, piece->size); break;
        }
        if (done < 0)
            return -1;
    }
    return 0;
}

/* The message as the Kafka client takes it; a plain dict. */
static PyObject *message_object(const Program *program, const Work *work)
{
    PyObject *message = PyDict_New(), *key, *value;
    if (message == NULL)
        return NULL;
    if (program->key_form == KEY_NONE)
        Py_INCREF(key = Py_None);
    else
        key = PyBytes_FromStringAndSize((const char *)work->key.data, (Py_ssize_t)work->key.size);
    value = PyBytes_FromStringAndSize((const char *)work->value.data, (Py_ssize_t)work->value.size);
    if (key == NULL || value == NULL || PyDict_SetItem(message, name_of_key, key) < 0 ||
        PyDict_SetItem(message, name_of_value, value) < 0)
        Py_CLEAR(message);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return message;
}

static int add_message(const Program *program, const Message *message, Work *work, Told *told)
{
    uint8_t sequence[DIGITS_ROOM];
    size_t lane;
    if (program->numbered)
        told->sequence++;
    told->variables[VARIABLE_SEQUENCE].bytes = sequence;
    told->variables[VARIABLE_SEQUENCE].size = (size_t)(digits_of_signed(sequence, told->sequence) - sequence);
    if (put_value(program, message, work, told) < 0 || put_key(program, work, message->key_image) < 0 ||
        find_lane(program, work, message->key_image, &lane) < 0)
        return -1;
    PyObject *object = message_object(program, work);
    if (object == NULL)
        return -1;
    told->bytes += work->value.size;
    if (work->value.size > told->largest)
        told->largest = work->value.size;
    return work_add(work, object, lane);
}

/* Whether an UPDATE changes a column of key or hash. */
static int is_split(const Program *program, const Work *work)
{
    for (size_t i = 0; i < program->split.size; i++) {
        const Field *before = &work->fields[program->split.columns[i]], *after = before + program->width;
        if ((before->at == NULL) != (after->at == NULL) || before->size != after->size)
            return 1;
        if (before->at != NULL && memcmp(before->at, after->at, before->size) != 0)
            return 1;
    }
    return 0;
}

int message_row(const Program *program, Work *work, Told *told)
{
    const Message *messages = program->messages;
    if (program->images == 2 && is_split(program, work))
        return add_message(program, &messages[1], work, told) < 0 ? -1
                                                                   : add_message(program, &messages[2], work, told);
    return add_message(program, &messages[0], work, told);
}
