/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/tar_block.h"

#include "base/limits.h"
#include "base/own.h"
#include "pack/layout.h"

#include <string.h>

#define SIZE_AT 124
#define SIZE_LEN 12
#define SUM_AT 148
#define SUM_LEN 8
#define TYPE_AT 156

bool tar_block_is_zero(const char *block)
{
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

/* Octal digits, blanks in front, anything but a digit behind. False if there is none, or too many. */
static bool read_octal(const char *field, size_t len, uint64_t *out)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < len && field[i] == ' ')
		i++;
	size_t first = i;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
		if (n >> 60)
			return false;
		n = n << 3 | (uint64_t)(field[i] - '0');
	}
	*out = n;
	return i > first && (i == len || field[i] == ' ' || field[i] == '\0');
}

bool tar_block_is_header(const char *block)
{
	uint64_t want;
	uint64_t sum = 0;
	int64_t old = 0;

	if (!read_octal(block + SUM_AT, SUM_LEN, &want))
		return false;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool own = i >= SUM_AT && i < SUM_AT + SUM_LEN;
		sum += own ? ' ' : (unsigned char)block[i];
		old += own ? ' ' : (signed char)block[i];
	}
	return sum == want || (old >= 0 && (uint64_t)old == want);
}

bool tar_block_size(const char *block, uint64_t *size)
{
	const unsigned char *field = (const unsigned char *)block + SIZE_AT;
	uint64_t n = field[0] & 0x7f;

	if (!(field[0] & 0x80))
		return read_octal(block + SIZE_AT, SIZE_LEN, size) && *size <= INT64_MAX;
	for (size_t i = 1; i < SIZE_LEN; i++) {
		if (n >> 55)
			return false;
		n = n << 8 | field[i];
	}
	*size = n;
	return true;
}

char tar_block_type(const char *block)
{
	return block[TYPE_AT] ? block[TYPE_AT] : '0';
}

bool tar_block_is_record(const char *block)
{
	char type = tar_block_type(block);

	return type == 'x' || type == 'L' || type == 'K';
}

uint64_t tar_padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

/* A pax record that makes the file's content something else than the bytes that follow. */
static int check_pax(struct space *space, uint64_t at, size_t len, struct err *e)
{
	static const char *const sparse[] = { "GNU.sparse.", "SUN.holesdata" };
	AUTO_MEM char *body = malloc(len + 1);

	if (!body)
		return err_memory(e);
	if (space_pread(space, body, len, at, e))
		return -1;
	for (size_t i = 0; i < sizeof(sparse) / sizeof(sparse[0]); i++)
		if (memmem(body, len, sparse[i], strlen(sparse[i])))
			return err_set(e, ERR_CORRUPT, "is a sparse file");
	return 0;
}

int tar_head_read(struct space *space, uint64_t header, struct tar_head *out, struct err *e)
{
	char block[TAR_BLOCK];
	uint64_t size;

	for (uint64_t at = header; at - header <= LIMIT_MEMBER_HEADERS;) {
		if (space_pread(space, block, sizeof(block), at, e))
			return -1;
		at += TAR_BLOCK;
		if (tar_block_type(block) == 'g')
			return err_set(e, ERR_CORRUPT, "has a global pax header, which no image archive needs");
		if (!tar_block_is_record(block)) {
			*out = (struct tar_head){ at, tar_block_type(block) };
			return 0;
		}
		if (!tar_block_size(block, &size) || size > LIMIT_MEMBER_HEADERS)
			break;
		if (tar_block_type(block) == 'x' && check_pax(space, at, (size_t)size, e))
			return -1;
		at += tar_padded(size);
	}
	return err_set(e, ERR_CORRUPT, "has more than %u bytes of header records", LIMIT_MEMBER_HEADERS);
}
