/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no file makes pack_file_open() or pack_file_verify() crash, leak or hang; what is refused is refused with a
 * kind and a reason; and in what is accepted every blob that is said to be there can be read back under its digest.
 */
#include "pack/open.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_blobs(struct pack_file *f)
{
	for (size_t i = 0; i < f->pack->blob_count; i++) {
		const struct pack_blob *b = &f->pack->blobs[i];
		struct err e = { 0 };
		if (b->absent)
			continue;
		AUTO(source) s = pack_file_blob(f, b, &e);
		if (!s || source_drain(s, &e))
			abort();
	}
}

static void check_images(const struct pack *p)
{
	for (size_t i = 0; i < p->image_count; i++) {
		const struct pack_image *image = &p->images[i];
		if (image->root >= p->blob_count || !p->blobs[image->root].bytes)
			abort();
		for (size_t m = 0; m < image->manifest_count; m++) {
			const struct pack_manifest *pm = &image->manifests[m];
			if (pm->blob >= p->blob_count || pm->config >= p->blob_count)
				abort();
			for (size_t k = 0; k < pm->layer_count; k++)
				if (pm->layers[k] >= p->blob_count)
					abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct verify_options options = { .diff_ids = true, .threads = 1 };
	struct err e = { 0 };
	char path[64];
	AUTO_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	AUTO(pack_file) f = pack_file_open(path, NULL, &e);
	if (!f) {
		if (e.kind == ERR_NONE || !*e.text)
			abort();
		return 0;
	}
	check_images(f->pack);
	if (!pack_file_verify(f, &options, NULL, &e))
		check_blobs(f);
	else if (e.kind == ERR_NONE || !*e.text)
		abort();
	return 0;
}
