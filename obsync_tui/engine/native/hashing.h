/* Partitions by a key's hash. */
#ifndef OBSYNC_HASHING_H
#define OBSYNC_HASHING_H

#include "kernel.h"

/* Makes the tables, before anything else here is called. */
void hashing_prepare(void);
/* zlib's CRC32. */
uint32_t hashing_crc32(const uint8_t *bytes, size_t size);
/* Java's murmur2 (rowplan/hashing.py is the reference). */
uint32_t hashing_murmur2(const uint8_t *bytes, size_t size);

#endif
