#include "text.h"

#define EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH EVERY(0x80)

/* The high bit of each byte that JSON does not take as it stands: controls, quote, backslash, and bytes above ASCII. Bits
 * above the lowest that is set may be wrong, which is enough to find the first. */
static inline uint64_t special(uint64_t word)
{
    uint64_t quote = word ^ EVERY('"'), backslash = word ^ EVERY('\\');
    return (word | (word - EVERY(0x20)) | (quote - EVERY(1)) | (backslash - EVERY(1))) & HIGH;
}

/* How many bytes from the start need no look. */
static inline size_t plain_run(const uint8_t *text, size_t size)
{
    size_t at = 0;
    for (; size - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, 8);
        if (special(word))
            break;
    }
    while (at < size && text[at] >= 0x20 && text[at] < 0x80 && text[at] != '"' && text[at] != '\\')
        at++;
    return at;
}

static int put_escape(Buffer *out, unsigned code)
{
    static const char HEX[] = "0123456789abcdef";
    uint8_t escape[6] = {'\\', 'u', (uint8_t)HEX[code >> 12 & 15], (uint8_t)HEX[code >> 8 & 15],
                         (uint8_t)HEX[code >> 4 & 15], (uint8_t)HEX[code & 15]};
    return buffer_put(out, escape, 6);
}

static int put_json_ascii(Buffer *out, uint8_t c)
{
    switch (c) {
    case '"': return buffer_put(out, "\\\"", 2);
    case '\\': return buffer_put(out, "\\\\", 2);
    case '\n': return buffer_put(out, "\\n", 2);
    case '\r': return buffer_put(out, "\\r", 2);
    case '\t': return buffer_put(out, "\\t", 2);
    case '\f': return buffer_put(out, "\\f", 2);
    case '\b': return buffer_put(out, "\\b", 2);
    default: return c < 0x20 ? put_escape(out, c) : buffer_byte(out, c);
    }
}

/* The size of the sequence that a byte above ASCII begins, 0 when it is not UTF-8 (Unicode, table 3-7, with surrogates). */
static size_t sequence(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];
    size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || left < size)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    if ((lead == 0xE0 && at[1] < 0xA0) || (lead == 0xF0 && at[1] < 0x90) || (lead == 0xF4 && at[1] > 0x8F))
        return 0;
    return size;
}

int text_utf8(Buffer *out, const uint8_t *text, size_t size, int surrogates, int json)
{
    /* Most texts need no escape: room for all of it at once, and for its quotes. */
    if (buffer_room(out, size + 16) == NULL)
        return -1;
    for (size_t at = 0; at < size;) {
        size_t run = plain_run(text + at, size - at);
        if (run) {
            if (buffer_put(out, text + at, run) < 0)
                return -1;
            at += run;
            continue;
        }
        if (text[at] < 0x80) {
            if ((json ? put_json_ascii(out, text[at]) : buffer_byte(out, text[at])) < 0)
                return -1;
            at++;
            continue;
        }
        size_t length = sequence(text + at, size - at);
        int surrogate = length == 3 && text[at] == 0xED && text[at + 1] >= 0xA0;
        if (length == 0 || (surrogate && !surrogates))
            return refuse("not UTF-8");
        if (surrogate && json) {
            if (put_escape(out, 0xD000u | (text[at + 1] & 0x3Fu) << 6 | (text[at + 2] & 0x3Fu)) < 0)
                return -1;
        } else if (buffer_put(out, text + at, length) < 0) {
            return -1;
        }
        at += length;
    }
    return 0;
}

int text_single(Buffer *out, const uint8_t *text, size_t size, const CharacterSet *set, int json)
{
    if (buffer_room(out, size + 16) == NULL)
        return -1;
    for (size_t at = 0; at < size;) {
        size_t run = plain_run(text + at, size - at);
        if (run) {
            if (buffer_put(out, text + at, run) < 0)
                return -1;
            at += run;
            continue;
        }
        uint8_t byte = text[at++];
        int done;
        if (byte < 0x80)
            done = json ? put_json_ascii(out, byte) : buffer_byte(out, byte);
        else if (set->size[byte] == 0)
            return refuse("a byte that the character set does not have");
        else
            done = buffer_put(out, set->bytes[byte], set->size[byte]);
        if (done < 0)
            return -1;
    }
    return 0;
}

int text_base64(Buffer *out, const uint8_t *bytes, size_t size, size_t width)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t whole = size > width ? size : width;
    if (whole > PY_SSIZE_T_MAX / 2) {
        PyErr_NoMemory();
        return -1;
    }
    uint8_t *to = buffer_room(out, (whole + 2) / 3 * 4);
    if (to == NULL)
        return -1;
    for (size_t at = 0; at < whole; at += 3) {
        uint32_t group = 0;
        for (size_t i = at; i < at + 3; i++)
            group = group << 8 | (i < size ? bytes[i] : 0u);
        *to++ = (uint8_t)ALPHABET[group >> 18];
        *to++ = (uint8_t)ALPHABET[group >> 12 & 63];
        *to++ = (uint8_t)(at + 1 < whole ? ALPHABET[group >> 6 & 63] : '=');
        *to++ = (uint8_t)(at + 2 < whole ? ALPHABET[group & 63] : '=');
    }
    out->size = (size_t)(to - out->data);
    return 0;
}

int text_is_ascii(const uint8_t *text, size_t size)
{
    for (; size >= 8; text += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        if (word & HIGH)
            return 0;
    }
    for (size_t i = 0; i < size; i++)
        if (text[i] >= 0x80)
            return 0;
    return 1;
}
