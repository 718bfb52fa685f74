/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/block_write.h"

#define TOKEN_BITS (15 + 5 + 15 + 13) /* of the longest match */
#define END_BYTES 16

struct codes {
	uint16_t literal[288];
	uint16_t distance[32];
};

size_t block_room(size_t tokens)
{
	return tokens * (TOKEN_BITS / 8) + TREE_HEADER_BYTES + END_BYTES;
}

static int write_match(struct bits *b, const struct codes *c, const struct code_lengths *l, uint32_t token)
{
	unsigned code = token_length_code(token);
	unsigned bits = l->literal[CODE_END + 1 + code];
	uint64_t extra = token_length(token) - length_base[code];
	bits_put(b, c->literal[CODE_END + 1 + code] | extra << bits, bits + length_extra[code]);
	unsigned far = token_distance_code(token);
	unsigned far_bits = l->distance[far];
	extra = token_distance(token) - distance_base[far];
	bits_put(b, c->distance[far] | extra << far_bits, far_bits + distance_extra[far]);
	return bits && far_bits ? 0 : -1;
}

int block_write(struct bits *b, const struct tree_header *h, const struct code_lengths *l, const struct tokens *t)
{
	struct codes c = { 0 };
	int missing = 0;

	codes_assign(l->literal, 288, c.literal);
	codes_assign(l->distance, 32, c.distance);
	for (unsigned i = 0; i < h->bits; i += 8)
		bits_put(b, h->bytes[i / 8] & ((1u << (h->bits - i < 8 ? h->bits - i : 8)) - 1),
			 h->bits - i < 8 ? h->bits - i : 8);
	for (size_t i = 0; i < t->len; i++) {
		uint32_t token = t->at[i];
		if (token & TOKEN_MATCH) {
			missing |= write_match(b, &c, l, token);
			continue;
		}
		bits_put(b, c.literal[token], l->literal[token]);
		missing |= l->literal[token] ? 0 : -1;
	}
	bits_put(b, c.literal[CODE_END], l->literal[CODE_END]);
	return missing;
}
