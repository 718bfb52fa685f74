/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * Growing bytes. `struct buf b = {0};` is a valid, empty one; buf_release() frees what it holds (AUTO_BUF does it at
 * the end of the scope). The bytes always have a NUL behind them that `len` does not count.
 */

#include "base/err.h"

#include <stddef.h>

struct buf {
	char *data; /* NULL while nothing was added */
	size_t len;
	size_t capacity;
};

int buf_add(struct buf *b, const void *bytes, size_t len, struct err *e);
int buf_puts(struct buf *b, const char *s, struct err *e);
int buf_printf(struct buf *b, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Room for at least `len` bytes more, without another allocation. */
int buf_reserve(struct buf *b, size_t len, struct err *e);
/*
 * Appends what a descriptor gives until its end. ERR_LOCAL if it cannot be read, or gives more than `max` bytes ("is
 * larger than 100 bytes"). An empty buf does not move while less than 64 KiB have come, so that a key leaves no copy
 * behind.
 */
int buf_read(struct buf *b, int fd, size_t max, struct err *e);
/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *b);
/* Frees the memory; *b is an empty buf again. */
void buf_release(struct buf *b);
/* Hands the bytes (NUL behind) to the caller, who frees them; *b is empty again. NULL if nothing was ever added. */
char *buf_take(struct buf *b);

#define AUTO_BUF __attribute__((cleanup(buf_release))) struct buf

/* realloc() of an array with room for one more element, doubling; `*cap` counts elements. -1: out of memory. */
int grow_array(void **items, size_t *cap, size_t count, size_t item_size, struct err *e);
#define GROW(items, cap, count, e) grow_array((void **)&(items), &(cap), (count), sizeof(*(items)), (e))

#endif
