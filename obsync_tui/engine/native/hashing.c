#include "hashing.h"

static uint32_t crc_table[256];

uint32_t hashing_crc32(const uint8_t *bytes, size_t size)
{
    if (!crc_table[1])
        for (uint32_t i = 256; i-- > 0;) { /* entry 1 is written last but one: it tells that the table is there */
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++)
                value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
            crc_table[i] = value;
        }
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ crc_table[(crc ^ bytes[i]) & 0xFF];
    return ~crc;
}

uint32_t hashing_murmur2(const uint8_t *bytes, size_t size)
{
    const uint32_t m = 0x5BD1E995u;
    uint32_t h = 0x9747B28Cu ^ (uint32_t)size;
    size_t whole = size & ~(size_t)3;
    for (size_t i = 0; i < whole; i += 4) {
        uint32_t k = (uint32_t)little_endian(bytes + i, 4) * m;
        k ^= k >> 24;
        h = (h * m) ^ (k * m);
    }
    if (size > whole)
        h = (h ^ (uint32_t)little_endian(bytes + whole, size - whole)) * m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}
