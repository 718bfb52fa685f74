/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/* Text for a person: foreign bytes made harmless, sizes and times made short. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies `len` foreign bytes into out (cap >= 5, NUL always) so that nothing drives a terminal: C0, DEL, C1, bidi and
 * zero-width characters and invalid UTF-8 become \xNN or \u{N}; a backslash becomes \\; other valid UTF-8 stays. What
 * does not fit ends in "...". Returns out.
 */
const char *text_escape(char *out, size_t cap, const char *bytes, size_t len);

/* text_escape() of a NUL-terminated string; NULL becomes "". */
const char *text_escape_str(char *out, size_t cap, const char *s);

/* Bytes as "0 B", "999 B", "12.3 MB", "4.29 GB": decimal units and three digits, as docker and the sticks count. */
#define TEXT_SIZE_CAP 16
const char *text_size(char out[TEXT_SIZE_CAP], uint64_t bytes);

/* Seconds as "8s", "3m05s", "2h11m". */
#define TEXT_DURATION_CAP 24
const char *text_duration(char out[TEXT_DURATION_CAP], uint64_t seconds);

/* A whole decimal number without sign, space or leading text, at most max. */
bool text_parse_u64(const char *s, size_t len, uint64_t max, uint64_t *out);

/* Columns that valid UTF-8 `s` takes on a terminal (wide and combining characters counted by wcwidth). */
size_t text_columns(const char *s);

/* Overwrites secrets in a way that the compiler may not drop, then free()s. NULL passes through. */
void text_wipe_free(char *secret);

/*
 * The first character of `len` bytes of UTF-8: its length (1 to 4) and its number in *code; 0 if the bytes are not
 * valid (overlong, surrogate, above U+10FFFF, cut) or len is 0.
 */
size_t text_utf8(const char *bytes, size_t len, uint32_t *code);

/* True if `s` starts with `prefix`. */
bool text_starts(const char *s, const char *prefix);

#endif
