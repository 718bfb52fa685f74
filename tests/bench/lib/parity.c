/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests/bench/parity.sh: the library's parity without a program around it.
 *     parity code CHUNKS PARITY                     the erasure code alone, out of a core's cache
 *     parity make BYTES CHUNKS PARITY FOLDER        random chunks in a folder
 *     parity seal BYTES CHUNKS PARITY FOLDER        sums and parity of them
 *     parity repair BYTES CHUNKS PARITY FOLDER      PARITY chunks rebuilt from the rest, into nothing
 */
#include "pack/parity.h"
#include "base/parallel.h"
#include "codec/erasure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct err e;
static struct sums s;
static struct space *archive;
static struct space *parity[ERASURE_MAX];

static void die(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, e.text);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double spent(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void print_speed(const char *what, uint64_t bytes, double from, double cpu_from)
{
	const double wall = now() - from;
	const double cpu = spent() - cpu_from;
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	printf("%-28s %7.2f s  %6.2f GB/s  %6.2f GB/s a core  %ld MiB\n", what, wall, (double)bytes / wall / 1e9,
	       (double)bytes / cpu / 1e9, u.ru_maxrss >> 10);
}

static void code(size_t count, size_t more)
{
	const size_t piece = 8192;
	size_t want[ERASURE_MAX];
	uint8_t *pieces[ERASURE_MAX];

	for (size_t i = 0; i < count + more; i++) {
		want[i] = count + i;
		if (!(pieces[i] = malloc(piece)))
			exit(1);
		memset(pieces[i], (int)i, piece);
	}
	struct erasure *c = erasure_new(count, more, NULL, want, more, &e);
	if (!c)
		die("code");
	const size_t turns = ((size_t)8 << 30) / (count * piece);
	const double from = now();
	const double cpu = spent();
	for (size_t i = 0; i < turns; i++)
		erasure_run(c, pieces, pieces + count, piece);
	print_speed("code alone, one thread", turns * count * piece, from, cpu);
	erasure_free(c);
}

static void make(void)
{
	static uint64_t block[131072];
	uint64_t x = 88172645463325252;

	for (size_t i = 0; i < s.count; i++) {
		FILE *f = fopen(s.chunks[i].name, "w");
		if (!f)
			die("make");
		for (uint64_t at = 0; at < s.chunks[i].size; at += sizeof(block)) {
			const uint64_t left = s.chunks[i].size - at;
			for (size_t k = 0; k < sizeof(block) / 8; k++) {
				x ^= x << 13;
				x ^= x >> 7;
				x ^= x << 17;
				block[k] = x;
			}
			if (!fwrite(block, left < sizeof(block) ? left : sizeof(block), 1, f))
				die("make");
		}
		if (fclose(f))
			die("make");
	}
}

static void open_chunks(void)
{
	const char *names[ERASURE_MAX];

	for (size_t i = 0; i < s.count; i++)
		names[i] = s.chunks[i].name;
	if (!(archive = space_open_files(names, s.count, &e)))
		die("open");
}

static void seal(void)
{
	AUTO_BUF text = { 0 };

	open_chunks();
	for (size_t i = 0; i < s.parity_count; i++) {
		(void)unlink(s.parity[i].name);
		if (!(parity[i] = space_stage(s.parity[i].name, &e)) || space_reserve(parity[i], s.parity[i].size, &e))
			die("stage");
	}
	const double from = now();
	const double cpu = spent();
	if (parity_seal(&s, archive, parity, NULL, &e))
		die("seal");
	print_speed("sums and parity", s.size, from, cpu);
	if (sums_write(&s, false, &text, &e))
		die("sums");
	FILE *f = fopen("x.sha256", "w");
	if (!f || !fwrite(text.data, text.len, 1, f) || fclose(f))
		die("sums");
	for (size_t i = 0; i < s.parity_count; i++)
		if (space_commit(parity[i], &e))
			die("commit");
}

static bool is_good(void *ctx, size_t file, size_t block)
{
	(void)ctx;
	(void)block;
	return file >= s.parity_count;
}

static int read_block(void *ctx, size_t file, size_t block, void *buf, size_t from, size_t len, struct err *err)
{
	const uint64_t at = (uint64_t)block * SUMS_BLOCK + from;

	(void)ctx;
	if (file < s.count)
		return space_pread(archive, buf, len, (uint64_t)file * s.chunk + at, err);
	return space_pread(parity[file - s.count], buf, len, s.parity[0].header + at, err);
}

static int give_block(void *ctx, size_t file, size_t block, const void *buf, size_t from, size_t len, struct err *err)
{
	(void)ctx, (void)file, (void)block, (void)buf, (void)from, (void)len, (void)err;
	return 0;
}

static void repair(void)
{
	const struct parity_source source = { is_good, read_block, give_block, NULL };
	AUTO_BUF text = { 0 };

	open_chunks();
	for (size_t i = 0; i < s.parity_count; i++)
		if (!(parity[i] = space_open(s.parity[i].name, &e)))
			die("open");
	int fd = open("x.sha256", O_RDONLY);
	if (fd < 0 || buf_read(&text, fd, (size_t)64 << 20, &e))
		die("sums");
	sums_release(&s);
	if (sums_parse(&s, text.data, text.len, &e))
		die("sums");
	const double from = now();
	const double cpu = spent();
	if (parity_rebuild(&s, &source, NULL, &e))
		die("rebuild");
	print_speed("rebuild, as much read", s.size, from, cpu);
}

int main(int argc, char **argv)
{
	const struct digest set = { .raw = { 1 } };

	if (argc == 4) {
		code(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
		return 0;
	}
	const uint64_t bytes = strtoull(argv[2], NULL, 10);
	const uint64_t count = strtoull(argv[3], NULL, 10);
	if (chdir(argv[5]) ||
	    sums_make(&s, "x.tar", &set, bytes, (bytes + count - 1) / count, strtoul(argv[4], NULL, 10), &e))
		die("usage");
	if (!strcmp(argv[1], "make"))
		make();
	else if (!strcmp(argv[1], "seal"))
		seal();
	else
		repair();
	return 0;
}
