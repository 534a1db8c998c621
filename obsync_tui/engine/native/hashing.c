#include "hashing.h"

/* Tables for eight bytes at a time: entry [n][b] is byte b followed by n zero bytes. */
static uint32_t crc_tables[8][256];

void hashing_prepare(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
        crc_tables[0][i] = value;
    }
    for (int n = 1; n < 8; n++)
        for (uint32_t i = 0; i < 256; i++)
            crc_tables[n][i] = crc_tables[n - 1][i] >> 8 ^ crc_tables[0][crc_tables[n - 1][i] & 0xFF];
}

uint32_t hashing_crc32(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint32_t low = crc ^ (uint32_t)little_endian(bytes, 4), high = (uint32_t)little_endian(bytes + 4, 4);
        crc = crc_tables[7][low & 0xFF] ^ crc_tables[6][low >> 8 & 0xFF] ^ crc_tables[5][low >> 16 & 0xFF] ^
              crc_tables[4][low >> 24] ^ crc_tables[3][high & 0xFF] ^ crc_tables[2][high >> 8 & 0xFF] ^
              crc_tables[1][high >> 16 & 0xFF] ^ crc_tables[0][high >> 24];
    }
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ crc_tables[0][(crc ^ bytes[i]) & 0xFF];
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
