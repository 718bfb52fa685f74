/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/own.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define READ_PIECE (64u << 10)

int buf_reserve(struct buf *b, size_t len, struct err *e)
{
	size_t capacity = b->capacity ? b->capacity : 256;

	if (len >= SIZE_MAX / 4 - b->len)
		return err_memory(e);
	if (b->len + len + 1 <= b->capacity)
		return 0;
	while (capacity < b->len + len + 1)
		capacity *= 2;
	char *data = realloc(b->data, capacity);
	if (!data)
		return err_memory(e);
	b->data = data;
	b->capacity = capacity;
	b->data[b->len] = '\0';
	return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t len, struct err *e)
{
	if (buf_reserve(b, len, e))
		return -1;
	if (len)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_puts(struct buf *b, const char *s, struct err *e)
{
	return buf_add(b, s, strlen(s), e);
}

int buf_printf(struct buf *b, struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int need = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (need < 0)
		return err_set(e, ERR_LOCAL, "a text could not be formatted");
	if (buf_reserve(b, (size_t)need, e))
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)need + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)need;
	return 0;
}

int buf_read(struct buf *b, int fd, size_t max, struct err *e)
{
	const size_t begun = b->len;

	for (;;) {
		if (buf_reserve(b, READ_PIECE, e))
			return -1;
		ssize_t n = read(fd, b->data + b->len, READ_PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_LOCAL, errno, "cannot be read");
		b->len += (size_t)n;
		b->data[b->len] = '\0';
		if (n == 0)
			return 0;
		if (b->len - begun > max)
			return err_set(e, ERR_LOCAL, "is larger than %zu bytes", max);
	}
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

char *buf_take(struct buf *b)
{
	char *data = b->data;

	*b = (struct buf){ 0 };
	return data;
}

int grow_array(void **items, size_t *cap, size_t count, size_t item_size, struct err *e)
{
	if (count < *cap)
		return 0;
	size_t more = *cap ? *cap * 2 : 8;
	void *bigger = reallocarray(*items, more, item_size);
	if (!bigger)
		return err_memory(e);
	*items = bigger;
	*cap = more;
	return 0;
}
