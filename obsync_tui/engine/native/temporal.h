/* Dates and times as they lie in a row image (values/rowimage.py is the reference). Each writes at `to`, which has
 * TEMPORAL_ROOM bytes, and returns the end; NULL with ValueError for what no server writes. */
#ifndef OBSYNC_TEMPORAL_H
#define OBSYNC_TEMPORAL_H

#include "kernel.h"

#define TEMPORAL_ROOM 48
#define ZERO_TIME "0000-00-00 00:00:00"

uint8_t *temporal_date(uint8_t *to, const uint8_t *image);
/* `fraction` is how many bytes of fraction stand behind, 0 to 3. */
uint8_t *temporal_datetime(uint8_t *to, const uint8_t *image, size_t fraction);
uint8_t *temporal_timestamp(uint8_t *to, const uint8_t *image, size_t fraction);
uint8_t *temporal_time(uint8_t *to, const uint8_t *image, size_t fraction);

#endif
