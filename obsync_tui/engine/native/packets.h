/* Packets of the MySQL protocol: splitting a stream, and events that go on with the row group at hand. */
#ifndef OBSYNC_PACKETS_H
#define OBSYNC_PACKETS_H

#include "kernel.h"

/* payloads(data): the payloads of the packets that lie whole at the start, and where they end. A packet of the greatest
 * size, which goes on in the next, and what is behind it are left to the caller. */
PyObject *packets_payloads(PyObject *module, PyObject *data);

/* joining(packets, at, checksum, table_map, kind, head, bodies): appends to `bodies` the row events from packets[at] on
 * that go on with the group at hand, and gives the index and size in bytes of what they are: (next, bytes). `head` is a
 * table id, flags and what stands before the first image. Repetitions of the TABLE_MAP body are skipped. The first packet
 * of any other kind ends it, one that is damaged too. */
PyObject *packets_joining(PyObject *module, PyObject *arguments);

#endif
