/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* POSIX.1-1988 "ustar". Every field is there in the form that GNU tar, Python, Go and libarchive write themselves. */
struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char device_major[8];
	char device_minor[8];
	char prefix[155];
	char unused[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a tar header is one block");

#define OCTAL_SIZE_END (UINT64_C(1) << 33) /* 8 GiB: what 11 octal digits cannot say */

/* Octal up to 8 GiB - 1; then GNU's base 256: the first bit set, the number big-endian in the last bytes. */
static void put_size(char field[12], uint64_t size)
{
	if (size < OCTAL_SIZE_END) {
		(void)snprintf(field, 12, "%011" PRIo64, size);
		return;
	}
	memset(field, 0, 12);
	field[0] = (char)0x80;
	for (int i = 11; size; i--, size >>= 8)
		field[i] = (char)(size & 0xff);
}

void tar_header(char out[TAR_BLOCK], const char *name, uint64_t size)
{
	struct ustar h;
	unsigned sum = 0;

	memset(&h, 0, sizeof(h));
	memcpy(h.name, name, strnlen(name, sizeof(h.name)));
	memcpy(h.mode, "0000644", 8);
	memcpy(h.uid, "0000000", 8);
	memcpy(h.gid, "0000000", 8);
	put_size(h.size, size);
	memcpy(h.mtime, "00000000000", 12);
	h.type = '0';
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	memcpy(h.device_major, "0000000", 8);
	memcpy(h.device_minor, "0000000", 8);

	/* The checksum is over the header with blanks in its own field. */
	memset(h.checksum, ' ', sizeof(h.checksum));
	memcpy(out, &h, TAR_BLOCK);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)out[i];
	(void)snprintf(h.checksum, 7, "%06o", sum & 0777777);
	memcpy(out, &h, TAR_BLOCK);
}
