/* SPDX-License-Identifier: Apache-2.0 */
/* For tests/bench/rebuild.sh: each gzip file through source_simulate() and back; what it took, and whether it is the
 * same. */
#include "codec/regzip/rebuild.h"
#include "base/own.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define PIECE 65536

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	struct stat st;

	if (!f || fstat(fileno(f), &st))
		return NULL;
	char *bytes = malloc((size_t)st.st_size + 1);
	*len = bytes ? fread(bytes, 1, (size_t)st.st_size, f) : 0;
	(void)fclose(f);
	return bytes;
}

/* The raw bytes into *raw. */
static int simulate(const char *gzip, size_t len, struct simulated *out, struct buf *raw, struct err *e)
{
	AUTO(source) s = source_simulate(source_memory(gzip, len, e), out, e);
	char piece[PIECE];
	ssize_t n = -1;

	while (s && (n = source_read(s, piece, sizeof(piece), e)) > 0)
		if (buf_add(raw, piece, (size_t)n, e))
			return -1;
	return (int)n;
}

static int rebuild(const struct buf *raw, const struct simulated *how, const char *gzip, size_t len, struct err *e)
{
	AUTO(source) s = source_rebuild(source_memory(raw->data, raw->len, e), how->recipe.data, how->recipe.len, e);
	char piece[PIECE];
	size_t at = 0;
	ssize_t n = -1;

	while (s && (n = source_read(s, piece, sizeof(piece), e)) > 0) {
		if ((size_t)n > len - at || memcmp(piece, gzip + at, (size_t)n) != 0)
			return err_set(e, ERR_CORRUPT, "differs in the %zd bytes from %zu on", n, at);
		at += (size_t)n;
	}
	return n == 0 && at != len ? err_set(e, ERR_CORRUPT, "ends at %zu of %zu bytes", at, len) : (int)n;
}

/* 0: rebuilt. 1: given up. -1: wrong. */
static int run(const char *path)
{
	size_t len = 0;
	AUTO_MEM char *gzip = slurp(path, &len);
	AUTO_BUF raw = { 0 };
	struct simulated how = { 0 };
	struct err e = { 0 };
	const char *name = strrchr(path, '/');

	printf("%-28s ", name ? name + 1 : path);
	double start = now();
	if (!gzip || simulate(gzip, len, &how, &raw, &e)) {
		printf("FAILED: %s\n", e.text);
		return -1;
	}
	double middle = now();
	double mb = (double)raw.len / 1e6;
	int rc = how.good ? rebuild(&raw, &how, gzip, len, &e) : 1;
	double end = now();
	if (rc > 0)
		printf("kept: %s (%s)", how.why, how.encoder ? how.encoder : "-");
	else if (rc < 0)
		printf("WRONG: %s (%s)", e.text, how.encoder);
	else
		printf("identical; %s; recipe %zu = %.4f %%, %llu corrections; simulate %.0f, rebuild %.0f MB/s",
		       how.encoder, how.recipe.len, 100.0 * (double)how.recipe.len / (double)len,
		       (unsigned long long)how.corrections, mb / (middle - start), mb / (end - middle));
	printf("; raw %zu gzip %zu\n", raw.len, len);
	simulated_release(&how);
	return rc;
}

int main(int argc, char **argv)
{
	int worst = 0;

	for (int i = 1; i < argc; i++)
		if (run(argv[i]) < 0)
			worst = 1;
	return worst;
}
