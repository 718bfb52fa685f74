/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include "base/text.h"

#include <openssl/evp.h>
#include <string.h>

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool digest_parse_hex(struct digest *out, const char *text, size_t len)
{
	struct digest d;

	if (len != (size_t)2 * DIGEST_RAW)
		return false;
	for (size_t i = 0; i < DIGEST_RAW; i++) {
		int high = nibble(text[2 * i]);
		int low = nibble(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		d.raw[i] = (uint8_t)(high << 4 | low);
	}
	*out = d;
	return true;
}

int digest_parse(struct digest *out, const char *text, size_t len, struct err *e)
{
	static const char prefix[] = "sha256:";
	const size_t plen = sizeof(prefix) - 1;
	char shown[160];

	if (len > plen && !memcmp(text, prefix, plen) && digest_parse_hex(out, text + plen, len - plen))
		return 0;
	text_escape(shown, sizeof(shown), text, len);
	if (len > 7 && !memcmp(text, "sha512:", 7))
		return err_set(e, ERR_CORRUPT, "%s: sha512 digests are not supported, only sha256", shown);
	return err_set(e, ERR_CORRUPT, "\"%s\" is not a digest (sha256: and 64 lower-case hex digits)", shown);
}

const char *digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_RAW; i++) {
		out[2 * i] = digits[d->raw[i] >> 4];
		out[2 * i + 1] = digits[d->raw[i] & 15];
	}
	out[(size_t)2 * DIGEST_RAW] = '\0';
	return out;
}

const char *digest_text(const struct digest *d, char out[DIGEST_TEXT_SIZE])
{
	memcpy(out, "sha256:", 7);
	digest_hex(d, out + 7);
	return out;
}

const char *digest_short(const struct digest *d, char out[13])
{
	char hex[DIGEST_HEX_SIZE];

	memcpy(out, digest_hex(d, hex), 12);
	out[12] = '\0';
	return out;
}

int digest_compare(const struct digest *a, const struct digest *b)
{
	return memcmp(a->raw, b->raw, DIGEST_RAW);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return digest_compare(a, b) == 0;
}

struct hasher {
	EVP_MD_CTX *ctx;
};

static int hasher_reset(struct hasher *h, struct err *e)
{
	if (EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
		return err_set(e, ERR_LOCAL, "libcrypto cannot start SHA-256");
	return 0;
}

struct hasher *hasher_new(struct err *e)
{
	AUTO(hasher) h = calloc(1, sizeof(*h));

	if (!h || !(h->ctx = EVP_MD_CTX_new())) {
		err_memory(e);
		return NULL;
	}
	if (hasher_reset(h, e))
		return NULL;
	return TAKE(h);
}

int hasher_update(struct hasher *h, const void *bytes, size_t len, struct err *e)
{
	if (EVP_DigestUpdate(h->ctx, bytes, len) != 1)
		return err_set(e, ERR_LOCAL, "libcrypto cannot continue SHA-256");
	return 0;
}

int hasher_finish(struct hasher *h, struct digest *out, struct err *e)
{
	struct digest d;

	if (EVP_DigestFinal_ex(h->ctx, d.raw, NULL) != 1)
		return err_set(e, ERR_LOCAL, "libcrypto cannot finish SHA-256");
	if (hasher_reset(h, e))
		return -1;
	*out = d;
	return 0;
}

void hasher_free(struct hasher *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

int digest_of(struct digest *out, const void *bytes, size_t len, struct err *e)
{
	if (EVP_Digest(bytes, len, out->raw, NULL, EVP_sha256(), NULL) != 1)
		return err_set(e, ERR_LOCAL, "libcrypto cannot compute SHA-256");
	return 0;
}
