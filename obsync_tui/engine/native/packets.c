#include "packets.h"

#include "hashing.h"

#define HEADER 4
#define LONGEST 0xFFFFFF

/* An event's packet: an OK byte, the header with the type at 5, the body from 20 on. */
#define TYPE_AT 5
#define BODY_AT 20
#define TABLE_MAP 19
#define TABLE_ID 6
#define FLAGS 2
#define CHECKSUM 4

PyObject *packets_payloads(PyObject *module, PyObject *data)
{
    char *bytes;
    Py_ssize_t size, at = 0;
    (void)module;
    if (PyBytes_AsStringAndSize(data, &bytes, &size) < 0)
        return NULL;
    PyObject *payloads = PyList_New(0);
    while (payloads != NULL && size - at >= HEADER) {
        Py_ssize_t length = (Py_ssize_t)little_endian((const uint8_t *)bytes + at, 3);
        if (length == LONGEST || size - at - HEADER < length)
            break;
        PyObject *payload = PyBytes_FromStringAndSize(bytes + at + HEADER, length);
        if (payload == NULL || PyList_Append(payloads, payload) < 0)
            Py_CLEAR(payloads);
        Py_XDECREF(payload);
        at += HEADER + length;
    }
    if (payloads == NULL)
        return NULL;
    return Py_BuildValue("Nn", payloads, at);
}

typedef struct {
    size_t trailer;
    const uint8_t *table_map, *head;
    Py_ssize_t table_map_size, head_size;
    int kind;
} Group;

enum Found { OTHER, REPEATED_MAP, ROWS };

static int is_sound(const uint8_t *packet, size_t size, size_t trailer)
{
    if (!trailer)
        return 1;
    size_t end = size - trailer;
    return hashing_crc32(packet + 1, end - 1) == (uint32_t)little_endian(packet + end, CHECKSUM);
}

/* Rows of the same table and kind whose images start at the same place. The flags say whether a statement ends. */
static int has_head(const Group *group, const uint8_t *body, size_t size)
{
    size_t head = (size_t)group->head_size, rest = TABLE_ID + FLAGS;
    return size >= head && memcmp(body, group->head, TABLE_ID) == 0 &&
           memcmp(body + rest, group->head + rest, head - rest) == 0;
}

static enum Found look(const Group *group, const uint8_t *packet, size_t size)
{
    if (size < BODY_AT + group->trailer || packet[0] != 0)
        return OTHER;
    const uint8_t *body = packet + BODY_AT;
    size_t length = size - BODY_AT - group->trailer;
    enum Found found = OTHER;
    if (packet[TYPE_AT] == TABLE_MAP) {
        if (length == (size_t)group->table_map_size && memcmp(body, group->table_map, length) == 0)
            found = REPEATED_MAP;
    } else if (packet[TYPE_AT] == group->kind && has_head(group, body, length)) {
        found = ROWS;
    }
    return found != OTHER && is_sound(packet, size, group->trailer) ? found : OTHER;
}

PyObject *packets_joining(PyObject *module, PyObject *arguments)
{
    PyObject *packets, *bodies;
    Py_ssize_t at, bytes = 0;
    Group group;
    int checksum;
    const char *table_map, *head;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!npy#iy#O!", &PyList_Type, &packets, &at, &checksum, &table_map,
                          &group.table_map_size, &group.kind, &head, &group.head_size, &PyList_Type, &bodies))
        return NULL;
    if (at < 0 || group.head_size < TABLE_ID + FLAGS) {
        refuse("an index below 0, or a head without table id");
        return NULL;
    }
    group.trailer = checksum ? CHECKSUM : 0;
    group.table_map = (const uint8_t *)table_map;
    group.head = (const uint8_t *)head;
    for (Py_ssize_t count = PyList_Size(packets); at < count; at++) {
        PyObject *packet = PyList_GetItem(packets, at);
        char *data;
        Py_ssize_t size;
        if (packet == NULL || PyBytes_AsStringAndSize(packet, &data, &size) < 0)
            return NULL;
        enum Found found = look(&group, (const uint8_t *)data, (size_t)size);
        if (found == OTHER)
            break;
        if (found == ROWS) {
            if (PyList_Append(bodies, packet) < 0)
                return NULL;
            bytes += size;
        }
    }
    return Py_BuildValue("nn", at, bytes);
}
