/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/journal.h"

#include "base/buf.h"
#include "base/limits.h"
#include "stream/space.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Writing. */

struct journal {
	int fd;
	atomic_bool worth;
};

#define LINE_SIZE 256

/*
 * Appended by one call, so that a kill leaves whole lines; what is cut all the same, or has another thread's line in
 * its middle, is skipped when it is read.
 */
static int append(struct journal *j, const char *line, size_t len, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(j->fd, line + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, ERR_LOCAL, n ? errno : EIO, "cannot write the journal");
		done += (size_t)n;
	}
	return 0;
}

static int begin(struct journal *j, const struct layout *l, uint64_t chunk, struct err *e)
{
	AUTO_BUF text = { 0 };
	char id[DIGEST_TEXT_SIZE];

	if (buf_printf(&text, e, "imgpack-journal 1 %s %" PRIu64 " %" PRIu64 "\n", digest_text(&l->id, id), l->size,
		       chunk))
		return -1;
	for (size_t i = 0; i < l->count; i++)
		if (!l->members[i].bytes && buf_printf(&text, e, "blob %zu %s %" PRIu64 " %" PRIu64 "\n", i,
						       digest_text(&l->members[i].promise.digest, id),
						       l->members[i].promise.size, l->members[i].data))
			return -1;
	return append(j, text.data, text.len, e);
}

struct journal *journal_open(const char *path, const struct layout *l, uint64_t chunk, bool go_on, struct err *e)
{
	AUTO(journal) j = calloc(1, sizeof(*j));

	if (!j) {
		err_memory(e);
		return NULL;
	}
	j->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | (go_on ? 0 : O_TRUNC), 0600);
	if (j->fd < 0) {
		err_sys(e, ERR_LOCAL, errno, "cannot open the journal %s", path);
		return NULL;
	}
	atomic_store(&j->worth, go_on);
	/* A line that a kill cut is ended, so that it does not swallow the next one. */
	if (go_on ? append(j, "\n", 1, e) : begin(j, l, chunk, e)) {
		if (!go_on)
			(void)unlink(path);
		return NULL;
	}
	return TAKE(j);
}

int journal_note(struct journal *j, size_t member, uint64_t from, uint64_t len, uint32_t crc, struct err *e)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "have %zu %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n", member, from, len,
			 crc);

	atomic_store(&j->worth, true);
	return append(j, line, (size_t)n, e);
}

int journal_drop(struct journal *j, size_t member, struct err *e)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "drop %zu\n", member);

	return append(j, line, (size_t)n, e);
}

bool journal_is_worth_keeping(struct journal *j)
{
	return atomic_load(&j->worth);
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		(void)close(j->fd);
	free(j);
}

/* Reading. */

void journal_read_release(struct journal_read *j)
{
	free(j->blobs);
	free(j->stretches);
	*j = (struct journal_read){ 0 };
}

static int add_blob(struct journal_read *j, const char *line, struct err *e)
{
	struct journal_blob b = { .named = true };
	char digest[DIGEST_TEXT_SIZE];
	size_t number;

	if (sscanf(line, "blob %zu %71s %" SCNu64 " %" SCNu64, &number, digest, &b.promise.size, &b.place) != 4 ||
	    number >= LIMIT_MEMBERS || digest_parse(&b.promise.digest, digest, strlen(digest), NULL) ||
	    b.place > j->size || b.promise.size > j->size - b.place)
		return 0;
	while (j->blob_count <= number) {
		if (GROW(j->blobs, j->blob_capacity, j->blob_count, e))
			return -1;
		j->blobs[j->blob_count++] = (struct journal_blob){ 0 };
	}
	j->blobs[number] = b;
	return 0;
}

static int add_stretch(struct journal_read *j, const char *line, struct err *e)
{
	struct stretch s;
	char crc[9];
	char end;
	char *stop;

	if (sscanf(line, "have %zu %" SCNu64 " %" SCNu64 " %8s%c", &s.blob, &s.from, &s.len, crc, &end) != 5 ||
	    end != '\n' || s.blob >= j->blob_count || !j->blobs[s.blob].named || !s.len)
		return 0;
	s.crc = (uint32_t)strtoul(crc, &stop, 16);
	const uint64_t size = j->blobs[s.blob].promise.size;
	if (strlen(crc) != 8 || *stop || s.from > size || s.len > size - s.from)
		return 0;
	if (GROW(j->stretches, j->capacity, j->count, e))
		return -1;
	j->stretches[j->count++] = s;
	return 0;
}

static void drop(struct journal_read *j, const char *line)
{
	size_t number;
	size_t kept = 0;

	if (sscanf(line, "drop %zu", &number) != 1)
		return;
	for (size_t i = 0; i < j->count; i++)
		if (j->stretches[i].blob != number)
			j->stretches[kept++] = j->stretches[i];
	j->count = kept;
}

static bool read_head(struct journal_read *j, const char *line)
{
	char digest[DIGEST_TEXT_SIZE];

	return sscanf(line, "imgpack-journal 1 %71s %" SCNu64 " %" SCNu64, digest, &j->size, &j->chunk) == 3 &&
	       !digest_parse(&j->id, digest, strlen(digest), NULL) && j->size &&
	       space_chunk_count(j->size, j->chunk) <= LIMIT_CHUNKS;
}

static int read_lines(struct journal_read *j, FILE *f, struct err *e)
{
	char line[LINE_SIZE];

	if (!fgets(line, sizeof(line), f) || !read_head(j, line))
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "blob ", 5) ? add_blob(j, line, e) : add_stretch(j, line, e))
			return -1;
		drop(j, line);
	}
	return 1;
}

int journal_read(const char *path, struct journal_read *out, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return 0;
	FILE *f = fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ? NULL : fdopen(fd, "r");
	if (!f) {
		int sys = errno;
		if (fd >= 0)
			(void)close(fd);
		return err_sys(e, ERR_LOCAL, sys, "cannot read the journal %s", path);
	}
	AUTO_JOURNAL_READ j = { 0 };
	int rc = read_lines(&j, f, e);
	(void)fclose(f);
	if (rc > 0) {
		*out = j;
		j = (struct journal_read){ 0 };
	}
	return rc;
}
