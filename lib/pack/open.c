/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/open.h"

#include "base/text.h"
#include "codec/codec.h"
#include "pack/foreign.h"
#include "pack/ours.h"
#include "pack/pipe.h"
#include "pack/sniff.h"
#include "pack/tar_block.h"
#include "pack/unpack.h"

#include <string.h>
#include <sys/stat.h>

/* Decodes the whole file into a scratch space, once: members are then read at random, twice. */
static int unpack(struct pack_file *f, enum coding coding, const struct events *events, struct err *e)
{
	char size[TEXT_SIZE_CAP];

	event_text(events, EVENT_NOTE, "unpacking %s of %s to read it", text_size(size, f->bytes), coding_name(coding));
	struct space *scratch = unpack_tar(f->space, coding, e);
	if (!scratch)
		return -1;
	space_free(f->space);
	f->space = scratch;
	f->compression = coding_name(coding);
	return 0;
}

static int read_head(struct pack_file *f, char head[TAR_BLOCK], size_t *len, struct err *e)
{
	*len = space_size(f->space) < TAR_BLOCK ? (size_t)space_size(f->space) : TAR_BLOCK;
	memset(head, 0, TAR_BLOCK);
	return space_pread(f->space, head, *len, 0, e);
}

int pack_file_read(struct pack_file *f, const struct events *events, struct err *e)
{
	char head[TAR_BLOCK];
	size_t len;

	if (read_head(f, head, &len, e))
		return -1;
	enum coding coding = coding_detect(head, len);
	if (coding != CODING_NONE && (unpack(f, coding, events, e) || read_head(f, head, &len, e)))
		return -1;
	if (len == TAR_BLOCK && ours_detect(head)) {
		f->origin = ORIGIN_IMGPACK;
		f->format = "imgpack archive";
		return ours_open(f, e);
	}
	if (len < TAR_BLOCK || !tar_block_is_header(head))
		return sniff_refuse(head, len, e);
	return foreign_open(f, e);
}

struct pack_file *pack_file_open_space(struct space *space, const struct events *events, struct err *e)
{
	AUTO(space) taken = space;
	AUTO(pack_file) f = taken ? calloc(1, sizeof(*f)) : NULL;

	if (!taken)
		return NULL;
	if (!f) {
		err_memory(e);
		return NULL;
	}
	f->compression = coding_name(CODING_NONE);
	f->space = TAKE(taken);
	f->bytes = space_size(f->space);
	f->pack = pack_new(e);
	if (!f->pack)
		return NULL;
	if (pack_file_read(f, events, e)) {
		sniff_explain(f->space, e);
		return NULL;
	}
	return TAKE(f);
}

struct pack_file *pack_file_open(const char *path, const struct events *events, struct err *e)
{
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		sniff_refuse_folder(path, e);
		return NULL;
	}
	return pack_file_open_space(space_open(path, e), events, e);
}

void pack_file_free(struct pack_file *f)
{
	if (!f)
		return;
	pack_pipe_free(f->pipe);
	layout_free(f->layout);
	pack_free(f->pack);
	space_free(f->space);
	for (size_t i = 0; i < f->unproved_count; i++)
		free(f->unproved[i]);
	free(f->unproved);
	free(f);
}
