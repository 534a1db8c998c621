/* Text that people wrote, as UTF-8 or as the inside of a JSON string, and bytes as Base64.
 *
 * Lone surrogates stay as three bytes in plain text and become \udxxx in JSON, as `messagecode.py` writes them.
 */
#ifndef OBSYNC_TEXT_H
#define OBSYNC_TEXT_H

#include "buffer.h"

/* A character set of single bytes: each byte's UTF-8, of no bytes where the set has none. ASCII is itself. */
typedef struct {
    uint8_t bytes[256][3], size[256];
} CharacterSet;

/* Appends the text; `json` escapes it. ValueError when it is not UTF-8, or holds surrogates that are not allowed. */
int text_utf8(Buffer *out, const uint8_t *text, size_t size, int surrogates, int json);
/* Appends text of a single-byte character set; ValueError for a byte that the set does not have. */
int text_single(Buffer *out, const uint8_t *text, size_t size, const CharacterSet *set, int json);
/* Appends Base64 of the bytes, followed by zero bytes up to `width`. */
int text_base64(Buffer *out, const uint8_t *bytes, size_t size, size_t width);
/* Whether every byte is below 0x80. */
int text_is_ascii(const uint8_t *text, size_t size);

#endif
