/* Whole numbers as decimal digits. Each writes at `to` and returns the end. */
#ifndef OBSYNC_DIGITS_H
#define OBSYNC_DIGITS_H

#include "kernel.h"

/* The longest text of a 64-bit number, sign included. */
#define DIGITS_ROOM 20

uint8_t *digits_of(uint8_t *to, uint64_t value);
uint8_t *digits_of_signed(uint8_t *to, int64_t value);
/* With zeros in front up to `width` digits; longer numbers take what they need. */
uint8_t *digits_padded(uint8_t *to, uint64_t value, int width);

#endif
