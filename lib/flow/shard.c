/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/shard.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define JOB_INDEX "JOB_COMPLETION_INDEX"

static int parse_auto(struct shard *out, const char *job_index, struct err *e)
{
	char shown[64];
	uint64_t n;

	if (!job_index || !*job_index)
		return err_set(e, ERR_USAGE, "--shard auto/N: " JOB_INDEX " is not set; write I/N, I from 1 to N");
	if (!text_parse_u64(job_index, strlen(job_index), LIMIT_SHARDS, &n))
		return err_set(e, ERR_USAGE, "--shard auto/N: " JOB_INDEX " is '%s', no number",
			       text_escape_str(shown, sizeof(shown), job_index));
	if (n >= out->count)
		return err_set(e, ERR_USAGE,
			       "--shard auto/%zu: " JOB_INDEX " is %" PRIu64
			       ", counted from 0; N is the Job's completions",
			       out->count, n);
	out->index = (size_t)n + 1;
	return 0;
}

int shard_parse(struct shard *out, const char *text, const char *job_index, struct err *e)
{
	const char *slash = strchr(text, '/');
	struct shard s = { 0 };
	char shown[64];
	uint64_t index = 0, count = 0;

	text_escape_str(shown, sizeof(shown), text);
	if (!slash || !text_parse_u64(slash + 1, strlen(slash + 1), LIMIT_SHARDS, &count) || !count)
		return err_set(e, ERR_USAGE, "--shard: '%s' is not I/N or auto/N, N from 1 to %d", shown, LIMIT_SHARDS);
	s.count = (size_t)count;
	if (slash - text == 4 && !strncmp(text, "auto", 4)) {
		if (parse_auto(&s, job_index, e))
			return -1;
		*out = s;
		return 0;
	}
	if (!text_parse_u64(text, (size_t)(slash - text), count, &index) || !index)
		return err_set(e, ERR_USAGE, "--shard: '%s': I is a number from 1 to N", shown);
	s.index = (size_t)index;
	*out = s;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct shard_item *x = *(const struct shard_item *const *)a;
	const struct shard_item *y = *(const struct shard_item *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The items, largest first; owned. NULL: out of memory. */
static const struct shard_item **sort(const struct shard_item *items, size_t count, struct err *e)
{
	const struct shard_item **sorted = calloc(count + 1, sizeof(struct shard_item *));

	if (!sorted) {
		err_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = &items[i];
	qsort(sorted, count, sizeof(struct shard_item *), by_size);
	return sorted;
}

struct load {
	uint64_t bytes;
	size_t images;
};

static size_t least(const struct load *loads, size_t shards)
{
	size_t best = 0;

	for (size_t i = 1; i < shards; i++)
		if (loads[i].bytes < loads[best].bytes ||
		    (loads[i].bytes == loads[best].bytes && loads[i].images < loads[best].images))
			best = i;
	return best;
}

int shard_split(size_t *of, const struct shard_item *items, size_t count, size_t shards, struct err *e)
{
	AUTO_MEM const struct shard_item **sorted = sort(items, count, e);
	AUTO_MEM struct load *loads = calloc(shards + 1, sizeof(*loads));

	if (!sorted || !loads)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		const size_t part = least(loads, shards);
		loads[part].bytes += sorted[i]->bytes;
		loads[part].images++;
		of[sorted[i] - items] = part + 1;
	}
	return 0;
}

int shard_mark(char out[13], const struct shard_item *items, size_t count, size_t shards, struct err *e)
{
	AUTO_MEM const struct shard_item **sorted = sort(items, count, e);
	AUTO_BUF text = { 0 };
	struct digest d;

	if (!sorted || buf_printf(&text, e, "%zu\n", shards))
		return -1;
	for (size_t i = 0; i < count; i++)
		if (buf_printf(&text, e, "%" PRIu64 " %s\n", sorted[i]->bytes, sorted[i]->name))
			return -1;
	if (digest_of(&d, text.data, text.len, e))
		return -1;
	digest_short(&d, out);
	return 0;
}
