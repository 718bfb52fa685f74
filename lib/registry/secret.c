/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/secret.h"

#include "base/own.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

void secret_release(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->capacity);
	buf_release(b);
}

/* Room for `len` more without a realloc(), which would leave the old bytes behind. */
static int secret_reserve(struct buf *b, size_t len, struct err *e)
{
	AUTO_SECRET bigger = { 0 };

	if (b->data && b->capacity - b->len > len)
		return 0;
	if (len > SIZE_MAX / 8 || b->capacity > SIZE_MAX / 8)
		return err_memory(e);
	if (buf_reserve(&bigger, b->capacity * 2 + len + 1, e) || buf_add(&bigger, b->data, b->len, e))
		return -1;
	struct buf old = *b;
	*b = bigger;
	bigger = old; /* wiped at the end of the scope */
	return 0;
}

int secret_add(struct buf *b, const void *bytes, size_t len, struct err *e)
{
	if (secret_reserve(b, len, e))
		return -1;
	return buf_add(b, bytes, len, e);
}

int secret_puts(struct buf *b, const char *s, struct err *e)
{
	return secret_add(b, s, strlen(s), e);
}

int secret_escape(struct buf *b, const char *text, struct err *e)
{
	static const char digits[] = "0123456789ABCDEF";

	if (secret_reserve(b, strlen(text) * 3, e))
		return -1;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		char coded[3] = { '%', digits[c >> 4], digits[c & 15] };
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			     strchr("-._~", c);
		if (plain ? buf_add(b, text, 1, e) : buf_add(b, coded, sizeof(coded), e))
			return -1;
	}
	return 0;
}

int secret_base64(struct buf *b, const void *bytes, size_t len, struct err *e)
{
	if (len > INT32_MAX / 2)
		return err_memory(e);
	size_t coded = (len + 2) / 3 * 4;
	if (secret_reserve(b, coded, e))
		return -1;
	EVP_EncodeBlock((unsigned char *)b->data + b->len, bytes, (int)len);
	b->len += coded;
	return 0;
}

static bool looks_like_base64(const char *text, size_t len)
{
	size_t body = len;

	if (len % 4 || len > INT32_MAX / 2)
		return false;
	while (body && len - body < 2 && text[body - 1] == '=')
		body--;
	for (size_t i = 0; i < body; i++) {
		char c = text[i];
		bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' ||
			    c == '/';
		if (!good)
			return false;
	}
	return true;
}

int secret_unbase64(struct buf *b, const char *text, size_t len, struct err *e)
{
	if (!looks_like_base64(text, len))
		return 0;
	if (secret_reserve(b, len, e))
		return -1;
	int n = EVP_DecodeBlock((unsigned char *)b->data + b->len, (const unsigned char *)text, (int)len);
	if (n < 0)
		return 0;
	/* libcrypto counts the bytes that the padding stands for. */
	for (size_t i = len; i && len - i < 2 && text[i - 1] == '='; i--)
		n--;
	b->len += (size_t)n;
	b->data[b->len] = '\0';
	return 1;
}

int secret_copy(char **out, const char *from, struct err *e)
{
	if (!from) {
		*out = NULL;
		return 0;
	}
	char *copy = strdup(from);
	if (!copy)
		return err_memory(e);
	*out = copy;
	return 0;
}
