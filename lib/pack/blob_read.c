/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/blob_read.h"

#include "base/limits.h"
#include "pack/pipe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct source *pack_file_blob(struct pack_file *f, const struct pack_blob *blob, struct err *e)
{
	if (blob->absent) {
		char digest[DIGEST_TEXT_SIZE];
		err_set(e, ERR_CORRUPT, "%s is not in the archive", digest_text(&blob->promise.digest, digest));
		return NULL;
	}
	/* Until its layout is known a pipe is read like a file. */
	if (f->pipe && f->layout && !blob->bytes)
		return pack_pipe_blob(f, blob, e);
	struct source *bytes = blob->bytes ? source_memory(blob->bytes, blob->promise.size, e)
					   : source_space(f->space, blob->offset, blob->promise.size, e);
	return source_verify(bytes, &blob->promise, e);
}

int blob_read_paper(struct pack_file *f, size_t blob, enum blob_role role, size_t max, struct err *e)
{
	const struct pack_blob *b = &f->pack->blobs[blob];
	const struct promise promise = b->promise;
	char digest[DIGEST_TEXT_SIZE];
	AUTO_BUF bytes = { 0 };

	if (b->bytes)
		return pack_add_blob(f->pack, &promise, role, NULL, NULL, e) < 0 ? -1 : 0;
	digest_text(&promise.digest, digest);
	if (promise.size > max)
		return err_set(e, ERR_CORRUPT, "%s: %" PRIu64 " bytes are too many for a %s; the limit is %zu", digest,
			       promise.size, blob_role_text(role), max);
	AUTO(source) s = pack_file_blob(f, b, e);
	if (!s || buf_reserve(&bytes, promise.size, e) || source_slurp(s, max, &bytes, e))
		return err_at(e, "%s", digest);
	return pack_add_blob(f->pack, &promise, role, NULL, bytes.data, e) < 0 ? -1 : 0;
}

int blob_read_config(struct pack_file *f, size_t manifest, struct err *e)
{
	const struct pack_blob *b = &f->pack->blobs[manifest];
	char digest[DIGEST_TEXT_SIZE];

	AUTO(manifest) m = manifest_parse(b->bytes, b->promise.size, e);
	if (!m)
		return -1;
	if (!m->image)
		return 0;
	ptrdiff_t config = pack_find_blob(f->pack, &m->config.promise.digest);
	if (config < 0)
		return err_set(e, ERR_CORRUPT, "its config %s is not in the archive",
			       digest_text(&m->config.promise.digest, digest));
	return blob_read_paper(f, (size_t)config, BLOB_CONFIG, LIMIT_CONFIG, e);
}

int pack_file_doubt(struct pack_file *f, struct err *e, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	char **more = reallocarray(f->unproved, f->unproved_count + 1, sizeof(*more));
	if (!more)
		return err_memory(e);
	f->unproved = more;
	f->unproved[f->unproved_count] = NULL;
	AUTO_BUF copy = { 0 };
	if (buf_puts(&copy, text, e))
		return -1;
	f->unproved[f->unproved_count++] = buf_take(&copy);
	return 0;
}
