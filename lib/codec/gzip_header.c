/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gzip_header.h"

#include <isa-l/crc.h>

enum { FIXED, EXTRA_LENGTH, EXTRA, NAME, COMMENT, HEADER_CRC, COMPLETE };

#define FLAG_HEADER_CRC 0x02u
#define FLAG_EXTRA 0x04u
#define FLAG_NAME 0x08u
#define FLAG_COMMENT 0x10u
#define FLAGS_UNKNOWN 0xe0u

#define FIXED_LENGTH 10

static int take_fixed(struct gzip_header *h, uint8_t byte, struct err *e)
{
	if ((h->at == 0 && byte != 0x1f) || (h->at == 1 && byte != 0x8b))
		return err_set(e, ERR_CORRUPT, "the header is not gzip's");
	if (h->at == 2 && byte != 8)
		return err_set(e, ERR_CORRUPT, "the header names the unknown method %u", byte);
	if (h->at == 3 && (byte & FLAGS_UNKNOWN))
		return err_set(e, ERR_CORRUPT, "the header has unknown flags (0x%02x)", byte);
	if (h->at == 3)
		h->flags = byte;
	return 0;
}

/* True if this byte ends the field. */
static bool field_ends(const struct gzip_header *h, uint8_t byte)
{
	switch (h->field) {
	case FIXED:
		return h->at == FIXED_LENGTH - 1;
	case EXTRA_LENGTH:
	case HEADER_CRC:
		return h->at == 1;
	case EXTRA:
		return h->at + 1u == h->length;
	default:
		return byte == 0;
	}
}

static void next_field(struct gzip_header *h)
{
	static const uint8_t needs[] = { [EXTRA_LENGTH] = FLAG_EXTRA,
					 [NAME] = FLAG_NAME,
					 [COMMENT] = FLAG_COMMENT,
					 [HEADER_CRC] = FLAG_HEADER_CRC };

	h->at = 0;
	h->field++;
	if (h->field == EXTRA && h->length)
		return;
	while (h->field != COMPLETE && !(needs[h->field] & h->flags))
		h->field++;
}

int gzip_header_take(struct gzip_header *h, uint8_t byte, bool *complete, struct err *e)
{
	if (h->field == FIXED && take_fixed(h, byte, e))
		return -1;
	if (h->field != HEADER_CRC)
		h->crc = crc32_gzip_refl(h->crc, &byte, 1);
	if (h->field == EXTRA_LENGTH || h->field == HEADER_CRC)
		h->length = (uint16_t)(h->at ? h->length | byte << 8 : byte);
	if (field_ends(h, byte)) {
		if (h->field == HEADER_CRC && h->length != (h->crc & 0xffff))
			return err_set(e, ERR_CORRUPT, "the header's checksum is wrong");
		next_field(h);
	} else {
		h->at++;
	}
	*complete = h->field == COMPLETE;
	return 0;
}
