/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pipe.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "pack/ours.h"
#include "pack/sniff.h"
#include "pack/uses.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Opening what comes through a descriptor. */

void pack_pipe_free(struct pack_pipe *p)
{
	if (!p)
		return;
	feed_free(p->feed);
	free(p->uses);
	free(p);
}

static int pipe_new(struct pack_file *f, int fd, struct err *e)
{
	f->pipe = calloc(1, sizeof(*f->pipe));
	if (!f->pipe)
		return err_memory(e);
	f->pipe->file = f;
	f->pipe->feed = feed_new(fd, LIMIT_PIPE_KEPT, e);
	if (!f->pipe->feed)
		return -1;
	f->space = space_feed(f->pipe->feed, e);
	return f->space ? 0 : -1;
}

/* The rest of the pipe becomes the scratch space of a file. */
static int spool(struct pack_file *f, struct err *e)
{
	space_free(TAKE(f->space));
	f->space = feed_spool(f->pipe->feed, e);
	pack_pipe_free(TAKE(f->pipe));
	return f->space ? 0 : -1;
}

int pack_file_spool(struct pack_file *f, const struct events *events, struct err *e)
{
	if (!f->pipe)
		return 0;
	event_text(events, EVENT_NOTE, "keeping what comes in a temporary file, to read it more than once");
	if (spool(f, e))
		return -1;
	if (space_size(f->space) != f->layout->size)
		return err_set(e, ERR_CORRUPT, "is not as long as its " TOC_NAME " says: it was cut or added to");
	return 0;
}

/* Not to be read in one pass; `why` is said, unless it is NULL. */
static int read_spooled(struct pack_file *f, const char *why, const struct events *events, struct err *e)
{
	if (why)
		event_text(events, EVENT_NOTE, "%s: what comes is kept in a temporary file until all of it is there",
			   why);
	pack_free(f->pack);
	f->pack = pack_new(e);
	if (!f->pack || spool(f, e))
		return -1;
	f->bytes = space_size(f->space);
	if (!pack_file_read(f, events, e))
		return 0;
	return sniff_explain(f->space, e);
}

static int read_pipe(struct pack_file *f, int fd, const struct events *events, struct err *e)
{
	char head[TAR_BLOCK];
	struct err why = { 0 };

	if (pipe_new(f, fd, e))
		return -1;
	if (feed_pread(f->pipe->feed, head, sizeof(head), 0, &why) && why.kind != ERR_CORRUPT) {
		if (e)
			*e = why;
		return -1;
	}
	/* Too short for an archive of any kind: what it is instead is found out from a file. */
	if (why.kind == ERR_CORRUPT)
		return read_spooled(f, NULL, events, e);
	if (!ours_detect(head))
		return read_spooled(f, "this is no imgpack archive as fetch -o - writes it", events, e);
	f->origin = ORIGIN_IMGPACK;
	f->format = "imgpack archive";
	if (!ours_open(f, &why)) {
		f->bytes = f->layout->size;
		return 0;
	}
	if (why.kind == ERR_LOCAL && why.sys == EFBIG)
		return read_spooled(f, "its manifests stand behind its layers", events, e);
	if (e)
		*e = why;
	return -1;
}

static int read_descriptor(struct pack_file *f, int fd, const struct events *events, struct err *e)
{
	struct stat st;

	if (isatty(fd))
		return err_set(e, ERR_USAGE, "is a terminal; an archive comes through a pipe");
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || lseek(fd, 0, SEEK_CUR) != 0)
		return read_pipe(f, fd, events, e);
	f->space = space_of_descriptor(fd, e);
	if (!f->space)
		return -1;
	f->bytes = space_size(f->space);
	return pack_file_read(f, events, e) ? sniff_explain(f->space, e) : 0;
}

struct pack_file *pack_file_open_pipe(int fd, const struct events *events, struct err *e)
{
	AUTO(pack_file) f = calloc(1, sizeof(*f));

	if (!f) {
		err_memory(e);
		return NULL;
	}
	f->compression = coding_name(CODING_NONE);
	f->pack = pack_new(e);
	return f->pack && !read_descriptor(f, fd, events, e) ? TAKE(f) : NULL;
}

int pipe_note_uses(struct pack_pipe *p, struct err *e)
{
	const struct pack *pack = p->file->pack;

	if (p->uses)
		return 0;
	p->uses = calloc(pack->blob_count + 1, sizeof(*p->uses));
	if (!p->uses)
		return err_memory(e);
	blob_uses_note(pack, p->uses);
	return 0;
}

int pack_file_prove_content(struct pack_file *f, struct err *e)
{
	if (!f->pipe)
		return 0;
	f->pipe->content = true;
	return pipe_note_uses(f->pipe, e);
}
