/* Messages: value, key and lane from a row's fields. */
#ifndef OBSYNC_MESSAGE_H
#define OBSYNC_MESSAGE_H

#include "work.h"

/* What is the same for every row of a call. `sequence` is the last number given out. */
typedef struct {
    Piece variables[VARIABLES];
    int64_t sequence;
    size_t rows, bytes, largest;
} Told;

/* Makes the interned names of a message's parts, once. */
int message_prepare(void);
/* Makes the messages that come of the row in `work`. */
int message_row(const Program *program, Work *work, Told *told);

#endif
