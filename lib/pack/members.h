/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_MEMBERS_H
#define PACK_MEMBERS_H

/*
 * The members of somebody else's tar: names and places, nothing is extracted. libarchive reads the dialects (ustar,
 * pax, GNU); the offsets are counted beside it, and where the two disagree the tar is refused.
 */

#include "base/err.h"
#include "base/own.h"
#include "stream/space.h"

#include <stddef.h>
#include <stdint.h>

struct tar_member {
	char *name;      /* without "./" in front, never leaving the archive */
	char *target;    /* of a link: the member it names, resolved to a name of this tar; NULL: a regular file */
	uint64_t offset; /* of its first byte */
	uint64_t size;
};

struct members {
	struct tar_member *items;
	size_t count;
	size_t capacity;
	struct digestmap *by_name; /* sha256 of the name -> items[] */
};

/*
 * Scans the tar in `space`. ERR_CORRUPT with the member and the reason: names that leave the archive, the same name
 * twice, links that name no regular member, sparse and special files, header records over LIMIT_MEMBER_HEADERS, no end
 * blocks, anything but zeros behind them.
 */
struct members *members_scan(struct space *space, struct err *e);
void members_free(struct members *m);
OWNED(members)

/* The regular member of this name, through one link at most; NULL if there is none (or only a link to a link). */
const struct tar_member *members_find(const struct members *m, const char *name);

#endif
