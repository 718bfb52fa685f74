/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/open.h"

#include "base/text.h"
#include "codec/codec.h"
#include "pack/foreign.h"
#include "pack/ours.h"
#include "stream/sink.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* What a file that is no archive seems to be, from its first bytes; NULL if nothing comes to mind. */
static const char *seems_to_be(const unsigned char *head, size_t len)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *what;
	} kinds[] = {
		{ "\xff\xfe", 2, "UTF-16 text: PowerShell's > changed it; copy the file itself, or use cmd's >" },
		{ "\xef\xbb\xbf", 3, "text with a byte-order mark: something changed it on the way" },
		{ "PK\x03\x04", 4, "a zip file" },
		{ "<!DOCTYPE", 9, "a web page (HTML), perhaps a proxy's error" },
		{ "<html", 5, "a web page (HTML), perhaps a proxy's error" },
		{ "\x7f"
		  "ELF",
		  4, "a program" },
		{ "{", 1, "JSON; an archive is expected, not one of its papers" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (len >= kinds[i].len && !memcmp(head, kinds[i].bytes, kinds[i].len))
			return kinds[i].what;
	return NULL;
}

static bool has_tar_magic(const char head[TAR_BLOCK])
{
	return !memcmp(head + 257, "ustar", 5);
}

/* Decodes the whole file into a scratch space, once: members are then read at random, twice. */
static int unpack(struct pack_file *f, enum coding coding, const struct events *events, struct err *e)
{
	char size[TEXT_SIZE_CAP];
	AUTO(space) scratch = space_scratch(e);

	if (!scratch)
		return -1;
	event_text(events, EVENT_NOTE, "unpacking %s of %s to read it", text_size(size, f->bytes), coding_name(coding));
	AUTO(source) s = source_decode(source_space(f->space, 0, f->bytes, e), coding, INT64_MAX, e);
	AUTO(sink) to = sink_space(scratch, 0, INT64_MAX, e);
	if (!s || !to || pump(s, to, e))
		return err_at(e, "cannot unpack its %s", coding_name(coding));
	space_free(f->space);
	f->space = TAKE(scratch);
	f->compression = coding_name(coding);
	return 0;
}

static int read_head(struct pack_file *f, char head[TAR_BLOCK], size_t *len, struct err *e)
{
	*len = space_size(f->space) < TAR_BLOCK ? (size_t)space_size(f->space) : TAR_BLOCK;
	memset(head, 0, TAR_BLOCK);
	return space_pread(f->space, head, *len, 0, e);
}

static int refuse_head(const char head[TAR_BLOCK], size_t len, struct err *e)
{
	const char *what = seems_to_be((const unsigned char *)head, len);

	if (!len)
		return err_set(e, ERR_CORRUPT, "is empty");
	if (what)
		return err_set(e, ERR_CORRUPT, "is not an image archive: it seems to be %s", what);
	if (len < TAR_BLOCK)
		return err_set(e, ERR_CORRUPT, "has %zu bytes: too short for an image archive", len);
	return err_set(e, ERR_CORRUPT, "is not an image archive (no tar header at its start)");
}

static int open_format(struct pack_file *f, const struct events *events, struct err *e)
{
	char head[TAR_BLOCK];
	size_t len;

	if (read_head(f, head, &len, e))
		return -1;
	enum coding coding = coding_detect(head, len);
	if (coding == CODING_BZIP2 || coding == CODING_LZ4)
		return err_set(e, ERR_CORRUPT,
			       "is compressed with %s, which this release does not read; unpack it first",
			       coding_name(coding));
	if (coding != CODING_NONE && (unpack(f, coding, events, e) || read_head(f, head, &len, e)))
		return -1;
	if (len == TAR_BLOCK && ours_detect(head)) {
		f->origin = ORIGIN_IMGPACK;
		f->format = "imgpack archive";
		return ours_open(f, e);
	}
	if (len < TAR_BLOCK || !has_tar_magic(head))
		return refuse_head(head, len, e);
	return foreign_open(f, e);
}

struct pack_file *pack_file_open(const char *path, const struct events *events, struct err *e)
{
	AUTO(pack_file) f = calloc(1, sizeof(*f));
	struct stat st;

	if (!f) {
		err_memory(e);
		return NULL;
	}
	f->compression = coding_name(CODING_NONE);
	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		err_set(e, ERR_USAGE, "is a folder; name the archive in it");
		return NULL;
	}
	f->space = space_open(path, e);
	f->pack = pack_new(e);
	if (!f->space || !f->pack)
		return NULL;
	f->bytes = space_size(f->space);
	if (open_format(f, events, e))
		return NULL;
	return TAKE(f);
}

void pack_file_free(struct pack_file *f)
{
	if (!f)
		return;
	layout_free(f->layout);
	pack_free(f->pack);
	space_free(f->space);
	for (size_t i = 0; i < f->unproved_count; i++)
		free(f->unproved[i]);
	free(f->unproved);
	free(f);
}
